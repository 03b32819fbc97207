//! Now, and where the organisation's days begin.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::super::context::Context;
use super::super::operand::read_date;

/// Microseconds since 1970: what PostgreSQL keeps of a time.
pub type Micros = i64;

/// A point in time in an organisation's time zone.
#[derive(Clone, Debug)]
pub struct Moment {
    pub now: Micros,
    zone: TimeZone,
    today: Date,
}

impl Moment {
    /// The moment a context names; its `now` must be there.
    pub fn of(context: &Context) -> Result<Moment, String> {
        let zone = TimeZone::get(&context.time_zone)
            .map_err(|_| format!("the time zone {} is not known here", context.time_zone))?;
        let now = context.now.as_deref().ok_or("the context has no now")?;
        let now = read_time(now).ok_or_else(|| format!("now is no time: {now}"))?;
        let at = Timestamp::from_microsecond(now).map_err(|_| "now is too far away")?;
        let today = at.to_zoned(zone.clone()).date();
        Ok(Moment { now, zone, today })
    }

    /// The organisation's date.
    pub fn today(&self) -> Date {
        self.today
    }

    /// The date `days` from today.
    pub fn day(&self, days: i64) -> Date {
        self.today.saturating_add(days.days())
    }

    /// The instant at which a day begins. A midnight that the clocks skip or repeat is the later one, as in PostgreSQL.
    pub fn start_of(&self, date: Date) -> Micros {
        let midnight = self
            .zone
            .to_ambiguous_timestamp(date.to_datetime(Time::midnight()));
        midnight.later().map_or(Micros::MAX, |at| at.as_microsecond())
    }

    /// Date and minute of an instant, as people here read it.
    pub fn local(&self, at: Micros) -> Option<(Date, Time)> {
        let local = Timestamp::from_microsecond(at).ok()?.to_zoned(self.zone.clone());
        Some((local.date(), local.time()))
    }
}

/// Reads a timestamptz as PostgreSQL writes it into text (`2026-11-23 05:50:25.1+00`) or JSON (`…T…+08:00`).
pub fn read_time(text: &str) -> Option<Micros> {
    match text {
        "infinity" => return Some(Micros::MAX),
        "-infinity" => return Some(Micros::MIN),
        _ => {}
    }
    let date = read_date(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix(['T', ' '])?;
    let zone_at = rest.find(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    if whole.len() != 8 || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = clock_seconds(whole)?;
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    let offset = match zone.split_at(1) {
        ("Z", "") => 0,
        ("+", offset) => clock_seconds(offset)?,
        ("-", offset) => -clock_seconds(offset)?,
        _ => return None,
    };
    let days = i64::from((date - Date::constant(1970, 1, 1)).get_days());
    Some(((days * 86_400 + seconds - offset) * 1_000_000) + micros)
}

/// `HH`, `HH:MM` or `HH:MM:SS` in seconds.
fn clock_seconds(text: &str) -> Option<i64> {
    let mut seconds = 0;
    let mut unit = 3600;
    for part in text.split(':') {
        if part.len() != 2 || unit == 0 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        seconds += part.parse::<i64>().ok()? * unit;
        unit /= 60;
    }
    Some(seconds)
}

/// An instant as JSON holds it.
pub fn write_time(at: Micros) -> String {
    Timestamp::from_microsecond(at)
        .map_or_else(|_| "infinity".into(), |at| at.to_string().replace('Z', "+00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(zone: &str, now: &str) -> Moment {
        let context = Context {
            time_zone: zone.into(),
            now: Some(now.into()),
            ..Context::default()
        };
        Moment::of(&context).unwrap_or_else(|problem| panic!("{problem}"))
    }

    #[test]
    fn every_way_postgres_writes_a_time_is_read() {
        let noon = read_time("2026-11-23T12:00:00+00:00");
        for text in [
            "2026-11-23 12:00:00+00",
            "2026-11-23 20:00:00.0+08",
            "2026-11-23T12:00:00Z",
            "2026-11-23 06:30:00-05:30",
        ] {
            assert_eq!(read_time(text), noon, "{text}");
        }
        assert_eq!(
            read_time("2026-11-23 12:00:00.000001+00"),
            noon.map(|noon| noon + 1)
        );
        for text in [
            "",
            "2026-11-23",
            "2026-11-23 12:00",
            "2026-02-30 12:00:00+00",
            "2026-11-23 12:00:00",
            "now()",
        ] {
            assert_eq!(read_time(text), None, "{text}");
        }
        assert_eq!(read_time(&write_time(noon.unwrap_or(0))), noon);
    }

    #[test]
    fn days_begin_at_local_midnight_and_after_a_skipped_one() {
        let kuala_lumpur = moment("Asia/Kuala_Lumpur", "2026-11-23 17:00:00+00");
        assert_eq!(kuala_lumpur.today().to_string(), "2026-11-24");
        assert_eq!(
            write_time(kuala_lumpur.start_of(kuala_lumpur.today())),
            "2026-11-23T16:00:00+00:00"
        );
        // Clocks went from 00:00 to 01:00: that day began at 01:00, which is 05:00 UTC.
        let havana = moment("America/Havana", "2026-03-08 12:00:00+00");
        assert_eq!(
            write_time(havana.start_of(havana.today())),
            "2026-03-08T05:00:00+00:00"
        );
        // Midnight came twice, at 04:00 and 05:00 UTC.
        let havana = moment("America/Havana", "2026-11-01 12:00:00+00");
        assert_eq!(
            write_time(havana.start_of(havana.today())),
            "2026-11-01T05:00:00+00:00"
        );
    }
}
