//! The objects of a draft of which only sample records are known: their calls are left to a person.

use super::page::Text;
use super::words::{self, is};
use crate::schema::Object;
use crate::yaml::quoted;

pub(super) fn object(sample: &Object, out: &mut Text) {
    out.line(2, &format!("{}:", quoted(&sample.name)));
    let object = words::plain(&sample.name);
    let named = |wanted: &[&str]| sample.fields.keys().find(|name| is(name, wanted));
    let id = ["id", &format!("{object}id"), &format!("{object}number"), "number", "key", "uuid"].iter().find_map(|word| named(&[word]));
    match id {
        Some(id) => out.guess(4, &format!("id: {id}"), "its name"),
        None => out.todo(4, "id: which field tells one record from all others?"),
    }
    match named(words::CHANGED) {
        Some(stamp) => out.guess(4, &format!("stamp: {stamp}"), "its name is that of the time of the last change"),
        None => out.todo(4, "stamp: which field has the time of a record's last change?"),
    }
    let key = id.map_or("id", String::as_str);
    out.todo(4, "changes: the call that lists records, in which form its pages come:");
    for line in [
        format!(
            "changes: [{{ name: {object}s, call: GET /{object}s, query: {{ page: \"{{page}}\" }}, records: data, page: {{ number: {{ to: query.page, from: 1 }}, whole: true, size: 100, total: total }} }}]"
        ),
        format!("get: {{ call: \"GET /{object}s/{{id}}\" }}"),
        format!("find: {{ {key}: {{ call: GET /{object}s, query: {{ {key}: \"{{value}}\" }}, records: data, filter: exact }} }}"),
        format!(
            "writes: {{ create: {{ key: {key}, call: POST /{object}s, body: \"{{item}}\", guarantee: {{ by: none }}, receipt: {{ id: {key}, created: true }} }} }}"
        ),
    ] {
        out.comment(4, &line);
    }
}
