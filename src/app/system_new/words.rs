//! The words by which APIs call the same things: paging, stamps, keys. What is recognized by them is a guess, and is marked as one.

/// A name without case and separators: `lastModifiedAt`, `last_modified_at` and `Last-Modified-At` are one.
pub(in crate::app) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// One of several words for a thing.
pub(in crate::app) fn is(name: &str, words: &[&str]) -> bool {
    let name = plain(name);
    words.iter().any(|word| *word == name)
}

/// `lastModifiedAt` as `last_modified_at`.
pub(in crate::app) fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    out
}

/// `line-items` as `LineItem`: the name of an object by the last part of its path.
pub(in crate::app) fn object_name(segment: &str) -> String {
    let mut name = String::new();
    for part in segment.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        let (first, rest) = part.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    singular(&name)
}

/// One of many: `Orders`, `Deliveries`, `Boxes`.
pub(in crate::app) fn singular(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let cut = |n: usize| name[..name.len() - n].to_owned();
    if lower.ends_with("ies") && name.len() > 4 {
        return cut(3) + "y";
    }
    if ["sses", "xes", "ches", "shes"].iter().any(|ending| lower.ends_with(ending)) {
        return cut(2);
    }
    if lower.ends_with('s') && !lower.ends_with("ss") && !lower.ends_with("us") && name.len() > 3 { cut(1) } else { name.to_owned() }
}

/// The number of a page.
pub(in crate::app) const PAGE: &[&str] = &["page", "pagenumber", "pageno", "pagenum", "pageindex", "p"];
/// How many records a page has.
pub(in crate::app) const SIZE: &[&str] =
    &["pagesize", "perpage", "limit", "size", "pagelimit", "maxresults", "maxresultsperpage", "first", "count", "resultsperpage", "itemsperpage"];
/// How many records are left out.
pub(in crate::app) const OFFSET: &[&str] = &["offset", "skip", "start", "startindex", "from"];
/// Where the token of the next page goes.
pub(in crate::app) const TOKEN: &[&str] = &[
    "cursor",
    "pagetoken",
    "nexttoken",
    "after",
    "startingafter",
    "paginationtoken",
    "continuationtoken",
    "nextpagetoken",
    "nextcursor",
    "scrollid",
];
/// Where an answer has the token of the next page.
pub(in crate::app) const NEXT: &[&str] =
    &["nexttoken", "nextcursor", "nextpagetoken", "endcursor", "paginationtoken", "continuationtoken", "nextpage", "cursor", "scrollid"];
/// How many records there are in all.
pub(in crate::app) const TOTAL: &[&str] = &["total", "totalcount", "totalresults", "totalrecords", "totalitems", "totalelements", "count"];
/// How many pages there are in all.
pub(in crate::app) const PAGES: &[&str] = &["pages", "totalpages", "pagecount", "lastpage"];
/// The list itself, where it is not called by what is in it.
pub(in crate::app) const RECORDS: &[&str] =
    &["data", "results", "items", "records", "value", "values", "content", "rows", "list", "entries", "elements"];
/// The time of a record's last change.
pub(in crate::app) const CHANGED: &[&str] = &[
    "updatedat",
    "modifiedat",
    "lastmodifiedat",
    "lastmodified",
    "modifydate",
    "modifieddate",
    "datemodified",
    "updated",
    "modified",
    "lastupdated",
    "lastupdatedat",
    "lastupdatedate",
    "lastupdatetime",
    "updatetime",
    "updatedon",
    "modifiedon",
    "lastmodifieddate",
    "lastmodifiedtime",
    "dateupdated",
    "lastchanged",
    "changedat",
    "lastupdate",
];
/// The time at which a record was made.
pub(in crate::app) const MADE: &[&str] = &[
    "createdat",
    "created",
    "createdate",
    "createddate",
    "datecreated",
    "creationdate",
    "createdtime",
    "createdon",
    "purchasedate",
    "orderdate",
    "createtime",
];
/// Records that changed since then.
pub(in crate::app) const CHANGED_FROM: &[&str] = &[
    "modifiedatstart",
    "updatedatstart",
    "modifydatestart",
    "updatedsince",
    "updatedafter",
    "updatedfrom",
    "updatedatfrom",
    "updatedatmin",
    "modifiedsince",
    "modifiedafter",
    "modifiedfrom",
    "lastupdatedafter",
    "lastmodifiedfrom",
    "lastmodifiedafter",
    "since",
    "changedsince",
    "updatedatgte",
    "lastupdatedfrom",
    "minupdatedat",
    "lastmodifieddatefrom",
];
pub(in crate::app) const CHANGED_TO: &[&str] = &[
    "modifiedatend",
    "updatedatend",
    "modifydateend",
    "updatedbefore",
    "updatedto",
    "updatedatto",
    "updatedatmax",
    "modifiedbefore",
    "modifiedto",
    "lastupdatedbefore",
    "lastmodifiedto",
    "lastmodifiedbefore",
    "until",
    "updatedatlte",
    "lastupdatedto",
    "maxupdatedat",
];
/// Records that were made since then.
pub(in crate::app) const MADE_FROM: &[&str] = &[
    "createdatstart",
    "createdfrom",
    "createdatfrom",
    "createdafter",
    "createdsince",
    "createdatmin",
    "createdatestart",
    "creationdatefrom",
    "createdatgte",
    "mincreatedat",
    "datefrom",
];
pub(in crate::app) const SORT: &[&str] = &["sort", "sortby", "orderby", "sortfield", "sortkey"];
pub(in crate::app) const DIRECTION: &[&str] = &["sortdir", "sortorder", "sortdirection", "orderdir", "direction", "order"];
/// A key that the client chooses.
pub(in crate::app) const KEYS: &[&str] = &[
    "orderkey",
    "externalid",
    "externalorderid",
    "externalshipmentid",
    "partnerorderid",
    "clientorderid",
    "merchantorderid",
    "referenceid",
    "externalreference",
    "clientreference",
    "sellerfulfillmentorderid",
    "idempotencykey",
    "customerreference",
    "key",
    "ordernumber",
    "number",
    "reference",
    "sku",
];
/// A header that makes the server know again what it has seen.
pub(in crate::app) const IDEMPOTENCY: &[&str] = &["idempotencykey", "xidempotencykey", "requestid", "xrequestid", "idempotencytoken"];
/// A status behind which nothing more happens to a record.
pub(in crate::app) const ENDED: &[&str] =
    &["shipped", "delivered", "cancelled", "canceled", "completed", "complete", "closed", "voided", "fulfilled", "returned", "refunded"];
/// What shops and warehouses speak of: which objects are drafted where nobody names them.
pub(in crate::app) const COMMERCE: &[&str] = &[
    "order",
    "shipment",
    "fulfillment",
    "fulfilment",
    "inventory",
    "stock",
    "product",
    "customer",
    "return",
    "label",
    "package",
    "parcel",
    "delivery",
    "warehouse",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_paths_become_names_of_objects() {
        let names = ["orders", "line-items", "deliveries", "boxes", "inventory", "sales_orders", "status", "addresses"].map(object_name);
        assert_eq!(names, ["Order", "LineItem", "Delivery", "Box", "Inventory", "SalesOrder", "Status", "Address"].map(str::to_owned));
        assert_eq!(["projectKey", "region", "X-Store"].map(snake), ["project_key", "region", "x_store"].map(str::to_owned));
        assert!(is("lastModifiedAt", CHANGED) && is("Idempotency-Key", IDEMPOTENCY) && !is("paged", PAGE));
    }
}
