//! Numbers as people read them.

/// `1 h 02 min`, `3 min 04 s`, `12.3 s`, `45 ms`.
pub(crate) fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "—".to_owned();
    }
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 0.9995 => format!("{:.0} ms", s * 1000.0),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `1.2 k`, `3.4 M`, `5.6 G`: counts of parameters and multiply-adds.
pub(crate) fn count(number: f64) -> String {
    match number {
        n if n < 1e4 => format!("{n:.0}"),
        n if n < 1e6 => format!("{:.1} k", n / 1e3),
        n if n < 1e9 => format!("{:.2} M", n / 1e6),
        n if n < 1e15 => format!("{:.2} G", n / 1e9),
        n => format!("{n:.2e}"),
    }
}

/// `98.7 %`: a share.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `1.2 points`: a difference of shares.
pub(crate) fn points(difference: f64) -> String {
    format!("{:.1} points", 100.0 * difference)
}

/// `12 KiB`, `3.4 MiB`, `5.6 GiB`.
pub(crate) fn bytes(number: f64) -> String {
    const KIB: f64 = 1024.0;
    match number {
        n if n < KIB => format!("{n:.0} B"),
        n if n < KIB * KIB => format!("{:.0} KiB", n / KIB),
        n if n < KIB * KIB * KIB => format!("{:.1} MiB", n / KIB / KIB),
        n => format!("{:.2} GiB", n / KIB / KIB / KIB),
    }
}

/// Four decimals for ordinary numbers (accuracies, losses), exponents for the others.
pub(crate) fn value(number: f64) -> String {
    match number.abs() {
        size if size == 0.0 || (1e-3..1e4).contains(&size) => format!("{number:.4}"),
        size if size >= 1e4 && number.fract() == 0.0 && size < 1e15 => format!("{number:.0}"),
        _ => format!("{number:.4e}"),
    }
}

/// A measurement by its name, whose end says the unit.
pub(crate) fn measurement(name: &str, number: f64) -> String {
    match name {
        _ if name.ends_with("_seconds") => seconds(number),
        _ if name.ends_with("_bytes") => bytes(number),
        _ if name.ends_with("_ms") => format!("{number:.3} ms"),
        "parameters" | "multiply_adds" => count(number),
        _ => value(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(seconds(0.0451), "45 ms");
        assert_eq!(seconds(12.34), "12.3 s");
        assert_eq!(seconds(184.0), "3 min 04 s");
        assert_eq!(seconds(3725.0), "1 h 02 min");
        assert_eq!(count(999.0), "999");
        assert_eq!(count(73_306.0), "73.3 k");
        assert_eq!(bytes(1.5 * 1024.0 * 1024.0), "1.5 MiB");
        assert_eq!(value(0.98125), "0.9812");
        assert_eq!(measurement("latency_ms", 1.5), "1.500 ms");
    }
}
