//! A batch for pages in Chinese: its variants under their Chinese names, if the scenario gives them.

use std::borrow::Cow;

use super::{BatchInfo, BatchRow};
use crate::bilingual::Language;

/// The axis of named variants.
const VARIANT: &str = "variant";

/// The batch with the names of its variants in a language, as far as the scenario gives them.
pub(crate) fn in_language<'a>(
    info: &'a BatchInfo,
    rows: &'a [BatchRow],
    language: Language,
) -> (Cow<'a, BatchInfo>, Cow<'a, [BatchRow]>) {
    let named = match language {
        Language::English => None,
        Language::Chinese => with_chinese_names(info, rows),
    };
    match named {
        None => (Cow::Borrowed(info), Cow::Borrowed(rows)),
        Some((info, rows)) => (Cow::Owned(info), Cow::Owned(rows)),
    }
}

/// The batch with the Chinese names of its variants; `None` if it has none, or two are equal. What the scenario does
/// not name in Chinese keeps its name.
fn with_chinese_names(info: &BatchInfo, rows: &[BatchRow]) -> Option<(BatchInfo, Vec<BatchRow>)> {
    let names = &info.zh.as_ref()?.variants;
    let at = info.axes.iter().position(|axis| axis.path == VARIANT)?;
    let chinese = |name: &mut String| {
        if let Some(chinese) = names.get(name.as_str()) {
            name.clone_from(chinese);
        }
    };
    let (mut info, mut rows) = (info.clone(), rows.to_vec());
    let values = &mut info.axes[at].values;
    values.iter_mut().for_each(chinese);
    let is_twice = |(i, name): (usize, &String)| values[..i].contains(name);
    if values.iter().enumerate().any(is_twice) {
        return None;
    }
    let of_rows = rows.iter_mut().filter_map(|row| row.values.get_mut(at));
    of_rows.for_each(chinese);
    let conditions = info.figures.iter_mut().map(|figure| &mut figure.only);
    let conditions = conditions.chain(info.expectations.iter_mut().map(|e| &mut e.only));
    let conditions = conditions.flatten().filter(|(path, _)| path == VARIANT);
    conditions.for_each(|(_, value)| chinese(value));
    info.notes
        .iter_mut()
        .for_each(|note| chinese(&mut note.variant));
    Some((info, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Axis;
    use crate::info::Translation;

    fn batch(names: [(&str, &str); 2]) -> (BatchInfo, Vec<BatchRow>) {
        let zh = Translation {
            variants: names.map(|(a, b)| (a.into(), b.into())).into(),
            ..Translation::default()
        };
        let values: Vec<String> = ["lost", "kept", "other"].map(str::to_owned).to_vec();
        let row = |value: &String| BatchRow {
            values: vec![value.clone()],
            ..BatchRow::default()
        };
        let rows = values.iter().map(row).collect();
        let axis = Axis {
            path: VARIANT.into(),
            values,
            ..Axis::default()
        };
        let info = BatchInfo {
            axes: vec![axis],
            zh: Some(zh),
            ..BatchInfo::default()
        };
        (info, rows)
    }

    #[test]
    fn variants_have_their_chinese_names_in_axes_and_rows() {
        let (info, rows) = batch([("lost", "丢失"), ("kept", "保留")]);
        let (info, rows) = with_chinese_names(&info, &rows).unwrap();
        assert_eq!(info.axes[0].values, ["丢失", "保留", "other"]);
        assert_eq!(rows[1].values, ["保留"]);
        let (info, rows) = batch([("lost", "丢失"), ("kept", "丢失")]);
        assert_eq!(with_chinese_names(&info, &rows), None);
    }
}
