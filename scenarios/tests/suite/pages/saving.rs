//! Figures are saved from the page: numbers, SVG and PNG.

use serde_json::{Value, json};

use super::{browser, drive, made};

/// Saves each figure in each form and looks at what would be downloaded: its type and text, and of the PNG the size and
/// the share of pixels that are dark. (While time is virtual, blobs cannot be read again.)
const SCRIPT: &str = "
const saved=[];const Made=Blob;
window.Blob=function(parts,o){const b=new Made(parts,o);saved.push({type:b.type,size:b.size,text:parts[0]});return b};
let canvas;const toBlob=HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob=function(...a){canvas=this;return toBlob.apply(this,a)};
out.figures=[];
for(const f of $$('figure')){
 const one={id:f.id};out.figures.push(one);
 const press=w=>{saved.length=0;$$('.bar button',f).find(b=>b.textContent===w).click()};
 press('Save numbers');one.csv=saved[0].type;one.rows=saved[0].text.trim().split('\\n').length;
 press('Save SVG');one.svg=saved[0].type;
 const doc=new DOMParser().parseFromString(saved[0].text,'image/svg+xml');
 one.root=doc.documentElement.nodeName;one.words=doc.querySelectorAll('text').length;
 press('Save PNG');for(let i=0;i<100&&!f.dataset.saved;i++)await wait(20);
 one.png=[saved[0].type,saved[0].size>3000];
 const box=$('.frame svg',f).viewBox.baseVal;
 one.scale=[canvas.width/box.width,canvas.height/box.height];
 const p=canvas.getContext('2d').getImageData(0,0,canvas.width,Math.min(canvas.height,1200)).data;let ink=0;
 for(let i=0;i<p.length;i+=4)if(p[i+3]>0&&p[i]+p[i+1]+p[i+2]<600)ink++;
 one.ink=ink*4/p.length;
}";

fn saves_all(page: &std::path::Path, kinds: &[&str]) {
    let Some(browser) = browser() else { return };
    let out = drive(browser, page, 1400, false, SCRIPT);
    let figures = out["figures"].as_array().unwrap();
    for kind in kinds {
        let is_there = |f: &Value| f["id"].as_str().unwrap().starts_with(kind);
        assert!(figures.iter().any(is_there), "{kind}: {out}");
    }
    for figure in figures {
        assert_eq!(figure["csv"], "text/csv", "{figure}");
        assert!(figure["rows"].as_u64().unwrap() > 1, "{figure}");
        assert_eq!(
            (&figure["svg"], &figure["root"]),
            (&"image/svg+xml".into(), &"svg".into()),
            "{figure}"
        );
        assert!(figure["words"].as_u64().unwrap() > 3, "{figure}");
        assert_eq!(figure["png"], json!(["image/png", true]), "{figure}");
        for side in [0, 1] {
            // Twice the size of a screen, unless a ladder is too long for that.
            let scale = figure["scale"][side].as_f64().unwrap();
            assert!((1.0..2.01).contains(&scale), "{figure}");
        }
        let ink = figure["ink"].as_f64().unwrap();
        assert!((0.002..0.9).contains(&ink), "{figure}");
    }
}

#[test]
fn every_figure_of_a_page_is_saved_as_numbers_svg_and_png() {
    let dir = made("http-exchange", &[]);
    saves_all(
        &dir.path().join("r/report.html"),
        &["ladder_", "states_timeline"],
    );
    let dir = made("bulk", &["--set", "duration=5 s"]);
    saves_all(
        &dir.path().join("r/report.html"),
        &["goodput", "cwnd", "sequence"],
    );
}
