//! Times and sizes as people write them.

use std::time::Duration;

const TIMES: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// `"1500ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`.
pub(super) fn parse_time(text: &str) -> Option<Duration> {
    parse(text, &TIMES).map(Duration::from_millis)
}

/// `"512B"`, `"64KiB"`, `"64MiB"`, `"2GiB"`.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    parse(text, &SIZES)
}

pub(super) fn time_text(time: Duration) -> String {
    text(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), &TIMES)
}

pub(super) fn size_text(size: u64) -> String {
    text(size, &SIZES)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn text(value: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().rev().find(|(_, factor)| value >= *factor && value.is_multiple_of(*factor));
    let (name, factor) = whole.or_else(|| units.first()).copied().unwrap_or(("", 1));
    format!("{}{name}", value.checked_div(factor).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_and_written() {
        for (text, milliseconds) in
            [("1ms", 1), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("1d", 86_400_000)]
        {
            assert_eq!(parse_time(text), Some(Duration::from_millis(milliseconds)));
            assert_eq!(time_text(Duration::from_millis(milliseconds)), text);
        }
        for (text, bytes) in [("1B", 1), ("64KiB", 65_536), ("3MiB", 3_145_728), ("1GiB", 1_073_741_824)] {
            assert_eq!((parse_size(text), size_text(bytes).as_str()), (Some(bytes), text));
        }
        assert_eq!(parse_time("30 s"), Some(Duration::from_secs(30)));
        assert_eq!(time_text(Duration::ZERO), "0ms");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["", "s", "30", "-1s", "1.5s", "30S", "30sec", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
        for text in ["", "64", "64KB", "64k", "x"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
