//! How answers and events are told apart in JSON: `{"id":…,"ok":…}`, `{"id":…,"error":…}`, `{"event":…}`.

use super::{Answer, Event, Failure, FromServer, Response};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The names of a result's two sides.
#[derive(Deserialize, Serialize)]
#[serde(remote = "Result::<Response, Failure>", rename_all = "lowercase")]
pub(super) enum Outcome {
    Ok(Response),
    #[serde(rename = "error")]
    Err(Failure),
}

impl<'de> Deserialize<'de> for FromServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.get("event").is_some() {
            Event::deserialize(value).map(Self::Event).map_err(D::Error::custom)
        } else {
            Answer::deserialize(value).map(Self::Answer).map_err(D::Error::custom)
        }
    }
}
