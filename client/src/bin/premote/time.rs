//! Times for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time in this machine's time zone, such as `2026-03-01 17:05:09`; `seconds` are since 1970-01-01 00:00 UTC.
pub(crate) fn local(seconds: u64) -> String {
    in_zone(seconds, TimeZone::system())
}

fn in_zone(seconds: u64, zone: TimeZone) -> String {
    match i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(time) => time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        // Such a time comes from a server that is confused, and is no reason to fail.
        None => "?".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_the_zone() {
        assert_eq!(in_zone(0, TimeZone::UTC), "1970-01-01 00:00:00");
        assert_eq!(in_zone(1_772_384_709, TimeZone::UTC), "2026-03-01 17:05:09");
        assert_eq!(in_zone(0, TimeZone::fixed(jiff::tz::offset(2))), "1970-01-01 02:00:00");
    }

    #[test]
    fn a_time_that_no_calendar_has_is_a_question_mark() {
        assert_eq!(in_zone(u64::MAX, TimeZone::UTC), "?");
    }
}
