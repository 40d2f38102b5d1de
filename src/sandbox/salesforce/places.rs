//! Words that seeded data is made of. Cities and postal codes are real and belong together, so that orders pass a
//! mapping's checks; streets, companies and people are invented and look it.

#[derive(Debug)]
pub(super) struct Place {
    pub(super) country: &'static str,
    pub(super) code: &'static str,
    /// As the template's `Region__c` has it.
    pub(super) region: &'static str,
    pub(super) city: &'static str,
    pub(super) postal: &'static str,
    pub(super) state: Option<(&'static str, &'static str)>,
}

const fn place(
    country: &'static str,
    code: &'static str,
    region: &'static str,
    city: &'static str,
    postal: &'static str,
    state: Option<(&'static str, &'static str)>,
) -> Place {
    Place { country, code, region, city, postal, state }
}

pub(super) const PLACES: &[Place] = &[
    place("United States", "US", "US", "Mountain View", "94043", Some(("California", "CA"))),
    place("United States", "US", "US", "New York", "10118-0110", Some(("New York", "NY"))),
    place("United States", "US", "US", "Reno", "89501", Some(("Nevada", "NV"))),
    place("United States", "US", "US", "Austin", "78701", Some(("Texas", "TX"))),
    place("United States", "US", "US", "Portland", "97204", Some(("Oregon", "OR"))),
    place("United States", "US", "US", "Boulder", "80302", Some(("Colorado", "CO"))),
    place("United Kingdom", "GB", "UK", "London", "NW1 6XE", None),
    place("United Kingdom", "GB", "UK", "Leeds", "LS1 4DY", None),
    place("United Kingdom", "GB", "UK", "Manchester", "M1 1AE", None),
    place("United Kingdom", "GB", "UK", "Edinburgh", "EH1 1YZ", None),
    place("Germany", "DE", "EU", "Berlin", "13353", None),
    place("Germany", "DE", "EU", "Hamburg", "20095", None),
    place("Germany", "DE", "EU", "München", "80331", None),
    place("France", "FR", "EU", "Lyon", "69002", None),
    place("Ireland", "IE", "EU", "Dublin", "D01 F5P2", None),
    place("Canada", "CA", "CA", "Toronto", "M5V 3L9", Some(("Ontario", "ON"))),
    place("Canada", "CA", "CA", "Vancouver", "V6B 1A1", Some(("British Columbia", "BC"))),
    place("Australia", "AU", "APAC", "Sydney", "2000", Some(("New South Wales", "NSW"))),
    place("Australia", "AU", "APAC", "Melbourne", "3000", Some(("Victoria", "VIC"))),
    place("Japan", "JP", "APAC", "Tokyo", "108-0075", Some(("Tokyo", "13"))),
    place("Brazil", "BR", "LATAM", "São Paulo", "01310-200", Some(("São Paulo", "SP"))),
];

/// In these an address needs a state.
pub(super) const STATES: &[&str] = &["US", "CA", "AU"];

pub(super) const STREETS: &[&str] =
    &["Sandbox Road", "Placeholder Lane", "Example Street", "Fixture Avenue", "Sample Close", "Mockingbird Test Way", "Müsterstraße", "Lorem Row"];
pub(super) const FIRST: &[&str] = &["Alex", "Siân", "Jürgen", "Łucja", "José", "Kim", "Noor", "Zoë", "Test", "Robin", "Ada", "Taro"];
pub(super) const LAST: &[&str] =
    &["Example", "Sampleson", "O'Placeholder", "Mustermann", "Fixture", "Żółć-Testowa", "Doe", "Sandbox", "Nobody", "Von Beispiel"];
pub(super) const COMPANIES: &[&str] =
    &["Example Outdoor", "Sample Tea", "Sandbox Supplies", "Fixture & Sons", "Muster Ausrüstung", "Placeholder Living"];
pub(super) const FORMS: &[&str] = &["Ltd", "GmbH", "Inc.", "SARL", "Co."];
pub(super) const NOTES: &[&str] = &["Leave with the neighbour", "Ring twice", "Back door, please"];
pub(super) const GREETINGS: &[&str] = &["Happy birthday, Zoë! 🎂", "Congratulations!", "Enjoy the tea"];

/// Code, name, price in cents, weight in grams, what customs reads.
pub(super) const PRODUCTS: &[(&str, &str, i64, i64, Option<&str>)] = &[
    ("TENT-2P", "Two-person tent", 24_900, 3_200, Some("Camping tent, polyester")),
    ("BAG-DOWN", "Down sleeping bag", 18_950, 1_100, Some("Sleeping bag, down")),
    ("MAT-LITE", "Sleeping mat, light", 3_950, 420, None),
    ("CUP-01", "Stoneware cup “Harbour”", 1_250, 350, Some("Stoneware cup")),
    ("POT-01", "Stoneware tea pot", 4_500, 900, Some("Stoneware pot")),
    ("LAMP-9", "Reading lamp", 6_995, 1_850, None),
    ("KIT-CAMP", "Camping set for two", 59_900, 7_250, Some("Camping set")),
    ("KIT-TEA", "Tea set, 4 cups and pot", 8_900, 2_300, Some("Tea set, stoneware")),
];
