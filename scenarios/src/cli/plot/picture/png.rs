//! SVG to PNG, by `resvg` with the fonts of the system.
//!
//! The same SVG, fonts and resolution give the same bytes: fonts are considered in an order that depends only on
//! their names, not on where they are installed or in which order directories list them. A picture in which a
//! character would be missing is refused.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::{self, Database, Family, ID, Query, Weight};
use resvg::usvg::{FontResolver, Group, Node, Options, Tree};

use super::DPI_OF_SVG;

/// Families for the words of a picture, the most suitable first. The labels of figures are placed for letters as wide
/// as Arial's, which the first three have; the fourth and fifth are wider.
const FAMILIES: [&str; 6] = [
    "Liberation Sans",
    "Arial",
    "Helvetica",
    "Noto Sans",
    "DejaVu Sans",
    "Segoe UI",
];

/// Most pixels of a side, and of the whole picture: 4 bytes each while it is drawn.
const MOST_OF_A_SIDE: f32 = 30_000.0;
const MOST_PIXELS: f32 = 200_000_000.0;

/// Inches in a metre.
const PER_METRE: f64 = 1.0 / 0.0254;

/// Why no PNG can be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum PngError {
    #[error(
        "no fonts are installed, so its words would be missing\n  = help: install fonts, such as the package fonts-liberation or \
         fonts-dejavu-core, or write an SVG, whose words are drawn where it is shown"
    )]
    NoFonts,
    #[error(
        "no installed font has {0}\n  = help: install a font that has the script, such as the package fonts-noto-cjk for Chinese, or write \
         an SVG, whose words are drawn where it is shown"
    )]
    NoGlyphs(String),
    #[error("it would have {0} x {1} pixels\n  = help: a lower --dpi makes it smaller")]
    TooLarge(u32, u32),
    #[error("the SVG cannot be read: {0}")]
    Svg(#[from] resvg::usvg::Error),
    #[error("{0}")]
    Encoding(#[from] png::EncodingError),
}

/// Draws a picture with `dpi` pixels per inch on white.
pub(super) fn drawn(svg: &str, dpi: u16) -> Result<Vec<u8>, PngError> {
    let fonts = sorted_fonts();
    if fonts.is_empty() {
        return Err(PngError::NoFonts);
    }
    let options = Options {
        font_resolver: resolver(),
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)?;
    let missing = missing(tree.root());
    if !missing.is_empty() {
        return Err(PngError::NoGlyphs(missing.join(" ")));
    }
    let scale = f32::from(dpi) / f32::from(DPI_OF_SVG);
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    let (width, height) = (width.round().max(1.0), height.round().max(1.0));
    let too_large = || PngError::TooLarge(width as u32, height as u32);
    if width.max(height) > MOST_OF_A_SIDE || width * height > MOST_PIXELS {
        return Err(too_large());
    }
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or_else(too_large)?;
    pixmap.fill(Color::WHITE);
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    encoded(&pixmap, dpi)
}

/// The file: three bytes for a pixel, since nothing is transparent, and the size on paper.
fn encoded(pixmap: &Pixmap, dpi: u16) -> Result<Vec<u8>, PngError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let per_metre = (f64::from(dpi) * PER_METRE).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    let rgb: Vec<u8> = pixmap
        .pixels()
        .iter()
        .flat_map(|p| [p.red(), p.green(), p.blue()])
        .collect();
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}

/// The fonts of the system. Where a character is in none of the families that were asked for, the first font with it
/// is taken: upright before slanted, normal weight first, sans-serif and simplified Chinese before others.
fn sorted_fonts() -> Database {
    let mut found = Database::new();
    found.load_system_fonts();
    let mut faces: Vec<fontdb::FaceInfo> = found.faces().cloned().collect();
    faces.sort_by_cached_key(|face| {
        let name = face.families.first().map_or("", |f| f.0.as_str());
        (
            face.style != fontdb::Style::Normal,
            face.weight.0.abs_diff(Weight::NORMAL.0),
            face.monospaced,
            !name.contains("Sans"),
            !name.ends_with(" SC"),
            name.to_owned(),
            face.post_script_name.clone(),
            face.index,
        )
    });
    let mut sorted = Database::new();
    for face in faces {
        sorted.push_face_info(face);
    }
    sorted
}

/// All words of our pictures are in a sans-serif font, some bold.
fn resolver() -> FontResolver<'static> {
    let first_with = FontResolver::default_fallback_selector();
    // Each font may be searched for a character once.
    let known: Mutex<HashMap<char, Option<ID>>> = Mutex::default();
    FontResolver {
        select_font: Box::new(|font, fonts| {
            let families: Vec<Family<'_>> = FAMILIES.into_iter().map(Family::Name).collect();
            let query = Query {
                families: &families,
                weight: Weight(font.weight()),
                ..Query::default()
            };
            let first = || fonts.faces().next().map(|face| face.id);
            fonts.query(&query).or_else(first)
        }),
        select_fallback: Box::new(move |c, tried, fonts| {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let found = *known
                .entry(c)
                .or_insert_with(|| first_with(c, tried, fonts));
            found.filter(|id| !tried.contains(id))
        }),
    }
}

/// The characters for which no font has a glyph, each once.
fn missing(group: &Group) -> Vec<String> {
    let mut all = BTreeSet::new();
    collect_missing(group, &mut all);
    all.into_iter().collect()
}

fn collect_missing(group: &Group, all: &mut BTreeSet<String>) {
    for node in group.children() {
        match node {
            Node::Group(inner) => collect_missing(inner, all),
            Node::Text(text) => {
                let glyphs = text.layouted().iter().flat_map(|s| &s.positioned_glyphs);
                let without = glyphs.filter(|g| g.id.0 == 0);
                let shown = without.filter(|g| !g.text.chars().all(char::is_control));
                all.extend(shown.map(|g| g.text.clone()));
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(text: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"89mm\" viewBox=\"0 0 300 100\" height=\"30mm\">\
             <text x=\"10\" y=\"60\" font-family=\"sans-serif\" font-size=\"40\">{text}</text></svg>"
        )
    }

    fn size_and_ink(bytes: &[u8]) -> (u32, u32, usize) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let dims = reader.info().pixel_dims.unwrap();
        assert_eq!(
            (dims.xppu, dims.unit),
            (11_811, png::Unit::Meter),
            "300 dpi"
        );
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let dark = pixels.chunks(3).filter(|p| p[0] < 100).count();
        (info.width, info.height, dark)
    }

    #[test]
    fn a_picture_has_its_size_on_paper_and_its_words() {
        if sorted_fonts().is_empty() {
            println!("skipped: no fonts");
            return;
        }
        let made = |text: &str| drawn(&picture(text), 300).unwrap();
        let (width, height, blank) = size_and_ink(&made(""));
        // 89 mm and 30 mm at 300 dpi.
        assert_eq!((width, height, blank), (1051, 354, 0));
        let (_, _, ink) = size_and_ink(&made("Words"));
        assert!(ink > 1_000, "{ink}");
        assert!(made("Words") == made("Words"));
    }

    #[test]
    fn what_no_font_has_is_named() {
        if sorted_fonts().is_empty() {
            println!("skipped: no fonts");
            return;
        }
        // A character of a plane for private use.
        let error = drawn(&picture("a\u{10fffd}b"), 300).unwrap_err();
        assert!(error.to_string().contains('\u{10fffd}'), "{error}");
        let error = drawn(&picture("a"), 20_000).unwrap_err();
        assert!(error.to_string().contains("lower --dpi"), "{error}");
    }
}
