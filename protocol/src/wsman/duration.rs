//! xs:duration, as far as it says a length of time. XML Schema part 2, 3.2.6.

use crate::Result;
use crate::error::Malformed;
use std::time::Duration;

/// Digits of one number: more than any sensible duration has.
const DIGITS: usize = 10;

/// Digits of a fraction that count.
const FRACTION: usize = 9;

/// The fields after `P` and those after `T`, with their seconds. Years and months have no fixed length.
const DATE: [(char, u64); 3] = [('Y', 0), ('M', 0), ('D', 86_400)];
const TIME: [(char, u64); 3] = [('H', 3600), ('M', 60), ('S', 1)];

/// Reads a duration, `PT20S`, `PT180.000S` or `P0DT0H0M0S`.
///
/// # Errors
/// [`Malformed::Duration`]: bad form, negative, or with years or months other than 0.
pub(crate) fn parse_duration(text: &str) -> Result<Duration> {
    let rest = text.strip_prefix('P').ok_or(Malformed::Duration)?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return Err(Malformed::Duration.into()),
        None if !rest.is_empty() => (rest, ""),
        None => return Err(Malformed::Duration.into()),
    };
    let date = parse_fields(date, &DATE)?;
    let time = parse_fields(time, &TIME)?;
    Ok(date.checked_add(time).ok_or(Malformed::Duration)?)
}

fn parse_fields(mut rest: &str, fields: &[(char, u64)]) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for (letter, seconds) in fields {
        let Some((number, after)) = rest.split_once(*letter) else { continue };
        let field = parse_number(number, *letter == 'S')?;
        let length = match u32::try_from(*seconds) {
            Ok(0) if field != Duration::ZERO => return Err(Malformed::Duration.into()),
            Ok(factor) => field.checked_mul(factor),
            Err(_) => None,
        };
        sum = length.and_then(|length| sum.checked_add(length)).ok_or(Malformed::Duration)?;
        rest = after;
    }
    if rest.is_empty() { Ok(sum) } else { Err(Malformed::Duration.into()) }
}

fn parse_number(number: &str, with_fraction: bool) -> Result<Duration> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if with_fraction && !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(Malformed::Duration.into()),
        None => (number, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || DIGITS < whole.len() || !digits(whole) || !digits(fraction) {
        return Err(Malformed::Duration.into());
    }
    let seconds = whole.parse().map_err(|_| Malformed::Duration)?;
    let mut nanos = 0_u32;
    for digit in fraction.bytes().chain(std::iter::repeat(b'0')).take(FRACTION) {
        let digit = u32::from(digit.saturating_sub(b'0'));
        nanos = nanos.saturating_mul(10).saturating_add(digit);
    }
    Ok(Duration::new(seconds, nanos))
}

/// Writes a duration as Windows does: `PT7200.000S`. What is shorter than a millisecond is dropped.
pub(crate) fn render_duration(duration: Duration) -> String {
    format!("PT{}.{:03}S", duration.as_secs(), duration.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_stock_clients() {
        for (text, millis) in [
            ("PT20S", 20_000),
            ("PT180.000S", 180_000),
            ("PT0.5S", 500),
            ("PT1M", 60_000),
            ("P0DT0H0M0S", 0),
            ("P1DT1H1M1.001S", 90_061_001),
            ("P0Y0M1D", 86_400_000),
            ("PT2147483.647S", 2_147_483_647),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn malformed_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "20",
            "PT20",
            "20S",
            "-PT20S",
            "PT-20S",
            "PT+1S",
            "PT.5S",
            "PT1.S",
            "PT1.5M",
            "P1Y",
            "P1M",
            "PT1S1M",
            "PT1S1S",
            "PT1M1H",
            "PTS",
            "PT 1S",
            "pt1s",
            "PT99999999999S",
            "PT1,5S",
            "P1S",
            "PT1D",
            "PT１S",
        ] {
            assert_eq!(parse_duration(text), Err(Malformed::Duration.into()), "{text}");
        }
    }

    #[test]
    fn render_is_read_back() {
        for millis in [0, 1, 999, 1000, 7_200_000, 2_147_483_647] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&render_duration(duration)), Ok(duration));
        }
        assert_eq!(render_duration(Duration::from_secs(7200)), "PT7200.000S");
    }
}
