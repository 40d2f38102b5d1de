//! The org as it begins: users, products with prices, accounts with a contact each, orders with lines.
//!
//! Stamps come in groups, as a data load leaves them: many records share one.

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rust_decimal::Decimal;

use super::Salesforce;
use super::catalog::Type;
use super::cell::{Cell, to_millisecond};
use super::id::Id;
use super::places::{COMPANIES, FIRST, FORMS, GREETINGS, LAST, NOTES, PLACES, PRODUCTS, Place, STREETS};
use super::store::Row;
use crate::sandbox::rng::Rng;
use crate::value::Json;

/// Orders of one account.
const ORDERS_OF_ACCOUNT: usize = 5;
/// Records of a group that share a stamp.
const GROUP: usize = 200;

/// What was planted, for orders that are made later.
#[derive(Debug)]
pub(super) struct Seeded {
    pub(super) dice: Rng,
    accounts: Vec<Customer>,
    products: Vec<(Id, Id, i64)>,
    pricebook: Option<Id>,
}

#[derive(Debug, Clone, Copy)]
struct Customer {
    account: Id,
    contact: Id,
    place: usize,
}

/// What is wrong with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    Street,
    City,
    PostalCode,
    WrongPostalCode,
    Country,
    State,
    Email,
}

const MISTAKES: &[Mistake] =
    &[Mistake::PostalCode, Mistake::Email, Mistake::WrongPostalCode, Mistake::Street, Mistake::State, Mistake::City, Mistake::Country];

/// An order that is not put in yet.
pub(super) struct Draft {
    pub(super) order: Row,
    pub(super) lines: Vec<Row>,
    /// A contact of its own, where that is what is wrong.
    pub(super) contact: Option<Row>,
}

impl Seeded {
    /// Two products, their entries in the price book, and prices.
    pub(super) fn two_products(&mut self) -> Vec<(Id, Id, Json)> {
        let count = self.products.len() as u64;
        let price = |cents: i64| Decimal::new(cents, 2).to_string().parse::<serde_json::Number>().map_or(Json::from(1), Json::Number);
        (0..2.min(count))
            .filter_map(|_| self.products.get(usize::try_from(self.dice.below(count)).unwrap_or(0)).copied())
            .map(|(product, entry, cents)| (product, entry, price(cents)))
            .collect()
    }

    pub(super) fn new(seed: u64) -> Self {
        // A stream of its own: what is done to the org later does not change what it was made of.
        Seeded { dice: Rng::new(seed ^ 0x5eed_5eed_5eed_5eed), accounts: Vec::new(), products: Vec::new(), pricebook: None }
    }
}

impl Salesforce {
    pub(super) fn plant(&mut self) {
        let start = to_millisecond(self.options.start);
        let before = start.checked_sub(1.hour()).unwrap_or(start);
        self.organization(before);
        self.users(before);
        self.queues(before);
        self.products(before);
        let orders = self.options.orders;
        for number in 0..orders.div_ceil(ORDERS_OF_ACCOUNT).max(1) {
            self.account(number, before);
        }
        let groups = orders.div_ceil(GROUP);
        for number in 0..orders {
            let age = i64::try_from(groups - 1 - number / GROUP).unwrap_or(0);
            let at = start.checked_sub(SignedDuration::from_secs(age)).unwrap_or(start);
            let account = number / ORDERS_OF_ACCOUNT;
            let mistaken = self.seeded.dice.hits(30).then(|| self.seeded.dice.pick(MISTAKES).copied()).flatten();
            let draft = self.draft(account, at, mistaken, true);
            self.put_in(draft);
        }
    }

    /// Puts an order and its lines in, committed at once.
    fn put_in(&mut self, draft: Draft) {
        let Draft { mut order, lines, contact } = draft;
        let catalog = self.store.catalog.clone();
        let tables = (catalog.find("Order"), catalog.find("OrderItem"), catalog.find("Contact"));
        let (Some(orders), Some(items), Some(contacts)) = tables else { return };
        if let Some(contact) = contact
            && let Some(id) = self.plant_row(contacts, contact)
        {
            order.set(catalog.types[orders].field("BillToContactId"), Cell::Id(id));
        }
        let Some(id) = self.plant_row(orders, order) else { return };
        for mut line in lines {
            line.set(catalog.types[items].field("OrderId"), Cell::Id(id));
            self.plant_row(items, line);
        }
    }

    /// Gives a row its id and numbers.
    pub(super) fn named(&mut self, table: usize, mut row: Row) -> Option<(Id, Row)> {
        let catalog = self.store.catalog.clone();
        let id = self.store.allot(table)?;
        let of = &catalog.types[table];
        row.set(of.stamps.id, Cell::Id(id));
        self.number(of, id, &mut row);
        Some((id, row))
    }

    fn plant_row(&mut self, table: usize, row: Row) -> Option<Id> {
        let (id, row) = self.named(table, row)?;
        self.store.put(id, row);
        Some(id)
    }

    fn fresh(&self, table: usize, at: Timestamp) -> Row {
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[table];
        let mut row = self.blank(of, at, self.person);
        row.set(of.stamps.owner, Cell::Id(self.person));
        row
    }

    /// The org's one record of itself.
    fn organization(&mut self, at: Timestamp) {
        let catalog = self.store.catalog.clone();
        let Some(table) = catalog.find("Organization") else { return };
        let of = &catalog.types[table];
        let mut row = self.blank(of, at, self.person);
        set(of, &mut row, "Name", Cell::text("Crossdock sandbox"));
        set(of, &mut row, "IsSandbox", Cell::Bool(true));
        self.plant_row(table, row);
    }

    fn users(&mut self, at: Timestamp) {
        let catalog = self.store.catalog.clone();
        let Some(table) = catalog.find("User") else { return };
        let of = &catalog.types[table];
        for (first, last, name) in [("Integration", "User", "integration"), ("Sandy", "Box", "sandy.box"), ("Pat", "Example", "pat.example")] {
            let mut row = self.fresh(table, at);
            let email = format!("{name}@sandbox.example.com");
            set(of, &mut row, "FirstName", Cell::text(first));
            set(of, &mut row, "LastName", Cell::text(last));
            set(of, &mut row, "Name", Cell::text(&format!("{first} {last}")));
            set(of, &mut row, "Email", Cell::text(&email));
            set(of, &mut row, "Username", Cell::text(&email));
            set(of, &mut row, "IsActive", Cell::Bool(true));
            let Some(id) = self.plant_row(table, row) else { return };
            if name == "integration" {
                self.user = id;
            } else {
                self.person = id;
            }
        }
    }

    /// Queues that own cases.
    fn queues(&mut self, at: Timestamp) {
        let catalog = self.store.catalog.clone();
        let Some(table) = catalog.find("Group") else { return };
        let of = &catalog.types[table];
        for (name, developer) in [("Parcels", "Parcels"), ("Urgent parcels", "Urgent_Parcels")] {
            let mut row = self.blank(of, at, self.person);
            set(of, &mut row, "Name", Cell::text(name));
            set(of, &mut row, "DeveloperName", Cell::text(developer));
            set(of, &mut row, "Type", Cell::text("Queue"));
            if self.plant_row(table, row).is_none() {
                return;
            }
        }
    }

    fn products(&mut self, at: Timestamp) {
        let catalog = self.store.catalog.clone();
        let tables = (catalog.find("Pricebook2"), catalog.find("Product2"), catalog.find("PricebookEntry"));
        let (Some(books), Some(products), Some(entries)) = tables else { return };
        let mut row = self.fresh(books, at);
        set(&catalog.types[books], &mut row, "Name", Cell::text("Standard Price Book"));
        set(&catalog.types[books], &mut row, "IsActive", Cell::Bool(true));
        set(&catalog.types[books], &mut row, "IsStandard", Cell::Bool(true));
        let Some(book) = self.plant_row(books, row) else { return };
        self.seeded.pricebook = Some(book);
        for (code, name, price, grams, customs) in PRODUCTS {
            let of = &catalog.types[products];
            let mut row = self.fresh(products, at);
            set(of, &mut row, "Name", Cell::text(name));
            set(of, &mut row, "ProductCode", Cell::text(code));
            set(of, &mut row, "IsActive", Cell::Bool(true));
            set(of, &mut row, "Weight__c", Cell::Number(Decimal::new(*grams, 3).normalize()));
            set(of, &mut row, "Customs_Description__c", Cell::text(customs.unwrap_or("")));
            let Some(product) = self.plant_row(products, row) else { return };
            let of = &catalog.types[entries];
            let mut row = self.fresh(entries, at);
            set(of, &mut row, "Pricebook2Id", Cell::Id(book));
            set(of, &mut row, "Product2Id", Cell::Id(product));
            set(of, &mut row, "UnitPrice", Cell::Number(Decimal::new(*price, 2)));
            set(of, &mut row, "Name", Cell::text(name));
            set(of, &mut row, "ProductCode", Cell::text(code));
            set(of, &mut row, "IsActive", Cell::Bool(true));
            let Some(entry) = self.plant_row(entries, row) else { return };
            self.seeded.products.push((product, entry, *price));
        }
    }

    fn account(&mut self, number: usize, at: Timestamp) {
        let catalog = self.store.catalog.clone();
        let (Some(accounts), Some(contacts)) = (catalog.find("Account"), catalog.find("Contact")) else { return };
        let dice = &mut self.seeded.dice;
        // Two in five are in the United States, one in five in the United Kingdom.
        let place = match dice.below(5) {
            0 | 1 => dice.below(6),
            2 => 6 + dice.below(4),
            _ => 10 + dice.below(PLACES.len() as u64 - 10),
        };
        let place = usize::try_from(place).unwrap_or(0);
        let (company, form) = (dice.word(COMPANIES), dice.word(FORMS));
        let (first, last) = (dice.word(FIRST), dice.word(LAST));
        let phone = phone(&PLACES[place], dice);
        let street = street(dice);
        let mut row = self.fresh(accounts, at);
        let of = &catalog.types[accounts];
        set(of, &mut row, "Name", Cell::text(&format!("{company} {} {form}", number + 1)));
        set(of, &mut row, "Phone", Cell::text(&phone));
        set(of, &mut row, "Type", Cell::text("Customer - Direct"));
        address(of, &mut row, "Billing", &PLACES[place], &street);
        address(of, &mut row, "Shipping", &PLACES[place], &street);
        let Some(account) = self.plant_row(accounts, row) else { return };
        let row = self.person_of(contacts, account, (first, last), &format!("person{}@example.com", number + 1), &phone, at);
        let Some(contact) = self.plant_row(contacts, row) else { return };
        self.seeded.accounts.push(Customer { account, contact, place });
    }

    fn person_of(&self, contacts: usize, account: Id, (first, last): (&str, &str), email: &str, phone: &str, at: Timestamp) -> Row {
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[contacts];
        let mut row = self.fresh(contacts, at);
        set(of, &mut row, "AccountId", Cell::Id(account));
        set(of, &mut row, "FirstName", Cell::text(first));
        set(of, &mut row, "LastName", Cell::text(last));
        set(of, &mut row, "Email", Cell::text(email));
        set(of, &mut row, "Phone", Cell::text(phone));
        self.derive(of, &mut row, at, self.person);
        row
    }

    /// An order of an account with its lines. `varied`: with the statuses and totals that a real org has, too; else one that
    /// is ready to ship.
    pub(super) fn draft(&mut self, account: usize, at: Timestamp, mistake: Option<Mistake>, varied: bool) -> Draft {
        let catalog = self.store.catalog.clone();
        let (orders, items) = (catalog.find("Order").unwrap_or(0), catalog.find("OrderItem").unwrap_or(0));
        let of = &catalog.types[orders];
        let mut order = self.fresh(orders, at);
        let customer = self.seeded.accounts.get(account % self.seeded.accounts.len().max(1)).copied();
        let Some(Customer { account, contact, place }) = customer else { return Draft { order, lines: Vec::new(), contact: None } };
        let book = self.seeded.pricebook;
        let dice = &mut self.seeded.dice;
        let place = &PLACES[place];
        let (status, large) = match (varied && mistake.is_none()).then(|| dice.below(1000)) {
            Some(0..20) => ("On Hold", false),
            Some(20..50) => ("Cancelled", false),
            Some(50..60) => ("Activated", true),
            Some(60..70) => ("Partially Returned", false),
            Some(70..90) => ("Draft", false),
            Some(90..190) => ("Ready to Ship", false),
            _ => ("Activated", false),
        };
        let date = jiff::tz::Offset::UTC.to_datetime(at).date();
        let date = date.checked_sub(i64::try_from(dice.below(5)).unwrap_or(0).days()).unwrap_or(date);
        let channel = match dice.below(20) {
            0..=11 => "Web",
            12..=14 => "Amazon",
            15 | 16 => "eBay",
            17 => "Phone",
            _ => "Wholesale",
        };
        // What is wholesale and South is shipped by hand.
        let brand = if channel == "Wholesale" || dice.below(4) > 0 { "North" } else { "South" };
        let service = match place.region {
            "US" => Some(dice.word(&["Standard", "Standard", "Expedited", "Next Day", "Economy"])),
            "UK" => Some(dice.word(&["Standard", "Standard", "Expedited", "Next Day"])),
            "EU" => Some(dice.word(&["Standard", "Standard", "Expedited"])),
            "CA" => Some("Standard"),
            _ => None,
        };
        let street = street(dice);
        let own_billing = dice.below(3) > 0;
        let ships_to_contact = dice.below(3) == 0;
        let mut put = |name: &str, cell: Cell| set(of, &mut order, name, cell);
        put("AccountId", Cell::Id(account));
        put("Pricebook2Id", book.map_or(Cell::Null, Cell::Id));
        put("EffectiveDate", Cell::Date(date));
        put("Status", Cell::text(status));
        put("BillToContactId", Cell::Id(contact));
        put("ShipToContactId", if ships_to_contact { Cell::Id(contact) } else { Cell::Null });
        put("Channel__c", Cell::text(channel));
        put("Region__c", Cell::text(place.region));
        put("Priority__c", Cell::text(dice.word(&["Normal", "Normal", "Normal", "Normal", "Low", "High"])));
        put("Brand__c", Cell::text(brand));
        put("Shipping_Service__c", Cell::text(service.unwrap_or("")));
        put("Shipping_Amount__c", Cell::Number(Decimal::new(i64::try_from(395 + dice.below(20) * 100).unwrap_or(0), 2)));
        put("Tax_Amount__c", Cell::Number(Decimal::new(i64::try_from(dice.below(4000)).unwrap_or(0), 2)));
        if dice.below(4) == 0 {
            put("Package_Notes__c", Cell::text(dice.word(NOTES)));
        }
        if dice.below(10) == 0 {
            put("Requested_Ship_Date__c", Cell::Date(date.checked_add(10.days()).unwrap_or(date)));
        }
        if dice.below(15) == 0 {
            put("Gift__c", Cell::Bool(true));
            put("Gift_Message__c", Cell::text(dice.word(GREETINGS)));
        }
        if dice.below(10) == 0 {
            for side in ["Package_Length__c", "Package_Width__c", "Package_Height__c"] {
                put(side, Cell::Number(Decimal::new(i64::try_from(50 + dice.below(250)).unwrap_or(50), 1)));
            }
        }
        let count = if large { 1 } else { 1 + dice.below(5) };
        let mut chosen: Vec<(usize, u64)> = Vec::new();
        for _ in 0..count {
            let product = usize::try_from(dice.below(PRODUCTS.len() as u64)).unwrap_or(0);
            if chosen.iter().all(|(known, _)| *known != product) {
                chosen.push((product, 1 + dice.below(4)));
            }
        }
        if large {
            chosen = vec![(0, 90 + dice.below(60))];
        }
        address(of, &mut order, "Shipping", place, &street);
        if own_billing {
            address(of, &mut order, "Billing", place, &street);
        }
        if let Some(mistake) = mistake {
            spoil(of, &mut order, mistake, place);
        }
        self.derive(of, &mut order, at, self.person);
        let lines = chosen.into_iter().filter_map(|(product, quantity)| self.line(items, product, quantity, at)).collect();
        let contacts = catalog.find("Contact").unwrap_or(0);
        let bad = (mistake == Some(Mistake::Email)).then(|| self.person_of(contacts, account, ("Test", "Typo"), "not an address", "", at));
        Draft { order, lines, contact: bad }
    }

    fn line(&self, items: usize, product: usize, quantity: u64, at: Timestamp) -> Option<Row> {
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[items];
        let (_, entry, price) = self.seeded.products.get(product)?;
        let mut row = self.fresh(items, at);
        set(of, &mut row, "PricebookEntryId", Cell::Id(*entry));
        set(of, &mut row, "Quantity", Cell::Number(Decimal::from(quantity)));
        set(of, &mut row, "UnitPrice", Cell::Number(Decimal::new(*price, 2)));
        self.derive(of, &mut row, at, self.person);
        Some(row)
    }

    pub(super) fn accounts(&self) -> usize {
        self.seeded.accounts.len()
    }
}

pub(super) fn set(of: &Type, row: &mut Row, name: &str, cell: Cell) {
    row.set(of.field(name), cell);
}

/// Writes an address into its parts: `Shipping`, `Billing`.
pub(super) fn address(of: &Type, row: &mut Row, prefix: &str, place: &Place, street: &str) {
    let mut put = |part: &str, text: &str| row.set(of.field(&format!("{prefix}{part}")), Cell::text(text));
    let (state, code) = place.state.unwrap_or(("", ""));
    put("Street", street);
    put("City", place.city);
    put("PostalCode", place.postal);
    put("State", state);
    put("StateCode", code);
    put("Country", place.country);
    put("CountryCode", place.code);
}

fn spoil(of: &Type, row: &mut Row, mistake: Mistake, place: &Place) {
    let mut put = |part: &str, text: &str| row.set(of.field(&format!("Shipping{part}")), Cell::text(text));
    match mistake {
        Mistake::Street => put("Street", ""),
        Mistake::City => put("City", ""),
        Mistake::PostalCode => put("PostalCode", ""),
        Mistake::WrongPostalCode => put("PostalCode", "12"),
        Mistake::Country => {
            put("Country", "");
            put("CountryCode", "");
        }
        // Where there are no states, the city is what is missing.
        Mistake::State if super::places::STATES.contains(&place.code) => {
            put("State", "");
            put("StateCode", "");
        }
        Mistake::State => put("City", ""),
        Mistake::Email => {}
    }
}

pub(super) fn street(dice: &mut Rng) -> String {
    let number = 1 + dice.below(240);
    let road = dice.word(STREETS);
    match dice.below(6) {
        0 => format!("{number} {road}\nFlat {}", 1 + dice.below(30)),
        _ => format!("{number} {road}"),
    }
}

/// Numbers that are kept free for fiction.
fn phone(place: &Place, dice: &mut Rng) -> String {
    match place.code {
        "GB" => format!("+44 20 7946 0{:03}", dice.below(1000)),
        _ => format!("+1 775 555 01{:02}", dice.below(100)),
    }
}
