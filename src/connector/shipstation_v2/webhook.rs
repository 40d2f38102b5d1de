//! The webhook of tracking events. It has the tracking in it, and a signature over it by a key that is fetched from
//! the vendor; here only the label's id is taken from it, and the tracking is read with the connection's own
//! credential. So nothing depends on who sent it.

use std::collections::BTreeMap;

use url::Url;

use super::is_id;
use crate::connector::Hint;

/// The name of the hint's parameter.
pub(super) const LABEL: &str = "label_id";
/// The longest body that is read, in bytes: a parcel has tens of events of half a kilobyte.
const LONGEST: usize = 512 << 10;
const EVENT: &str = "TRACK_EVENT_V2";

pub(super) fn hint(account: &Url, body: &[u8]) -> Result<Hint, String> {
    #[derive(serde::Deserialize)]
    struct Body {
        resource_url: String,
        resource_type: String,
    }
    if body.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let Body { resource_url, resource_type } =
        serde_json::from_slice(body).map_err(|_| "it is no JSON with `resource_url` and `resource_type`".to_owned())?;
    if resource_type != EVENT {
        return Err(format!("its `resource_type` is not {EVENT}"));
    }
    let base = account.as_str().trim_end_matches('/');
    let id = resource_url
        .strip_prefix(base)
        .and_then(|rest| rest.strip_prefix("/v2/labels/"))
        .and_then(|rest| rest.strip_suffix("/track"))
        .ok_or("its `resource_url` does not point to the tracking of a label at this connection's address")?;
    if !is_id(id) {
        return Err("its `resource_url` names no label".to_owned());
    }
    Ok(Hint { event: EVENT.to_owned(), parameters: BTreeMap::from([(LABEL.to_owned(), id.to_owned())]) })
}
