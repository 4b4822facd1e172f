//! Arithmetic of ranges of values.

use reports::Span;

pub(super) fn half(span: Span) -> Span {
    Span {
        low: span.low / 2.0,
        high: span.high / 2.0,
    }
}

pub(super) fn shifted(span: Span, by: f64) -> Span {
    Span {
        low: span.low + by,
        high: span.high + by,
    }
}

pub(super) fn added(a: Span, b: Span) -> Span {
    Span {
        low: a.low + b.low,
        high: a.high + b.high,
    }
}

pub(super) fn hull(a: Span, b: Span) -> Span {
    Span {
        low: a.low.min(b.low),
        high: a.high.max(b.high),
    }
}
