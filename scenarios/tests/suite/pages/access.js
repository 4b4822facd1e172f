// The requirements of WCAG 2.1 AA that a script can check: contrast of text (1.4.3), names of controls and
// images (1.1.1, 4.1.2), unique ids (4.1.1), order of headings (1.3.1), language (3.1.1), and that areas that
// scroll can be reached by keyboard (2.1.1).
await wait(200);
$$('button.step')[0]?.click();
out.bad = [];
const bad = (what, e) => out.bad.push(what + ': ' + (e.id || e.className || e.tagName) + ' ' + (e.textContent || '').trim().slice(0, 40));
const isShown = e => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });

// Colours as red, green, blue and alpha, whatever their notation.
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const known = new Map();
const rgba = css => {
  if (!known.has(css)) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    known.set(css, [...canvas.getImageData(0, 0, 1, 1).data]);
  }
  return known.get(css);
};
const luminance = c => {
  const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b;
};
const ratio = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + .05) / (y + .05);
};
const ground = e => {
  for (let at = e; at; at = at.parentElement) {
    const c = rgba(getComputedStyle(at).backgroundColor);
    if (c[3] === 255) return c;
  }
  return [255, 255, 255, 255];
};
out.texts = 0;
out.worst = 21;
for (const e of $$('body *')) {
  if (e.closest('svg,script,style,.vh,.skip') || !isShown(e)) continue;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  const style = getComputedStyle(e), size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const found = ratio(rgba(style.color), ground(e));
  out.texts++;
  out.worst = Math.min(out.worst, found);
  if (found < (isLarge ? 3 : 4.5)) bad('contrast ' + found.toFixed(2), e);
}

const nameOf = e => (e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent ||
  e.title || (e.labels?.length ? e.labels[0].textContent : '')).trim();
$$('button,a[href],select,input,[role=button]').filter(isShown).forEach(e => nameOf(e) || bad('no name', e));
$$('svg').filter(isShown).forEach(e => {
  const hidden = e.closest('[aria-hidden=true]');
  if (!hidden && !(e.getAttribute('aria-label') || $('title', e))) bad('picture without a name', e);
});
const ids = $$('[id]').map(e => e.id);
ids.filter((id, i) => ids.indexOf(id) !== i).forEach(id => out.bad.push('identity twice: ' + id));
let level = 0;
$$('h1,h2,h3,h4').filter(isShown).forEach(h => {
  const own = +h.tagName[1];
  if (own > level + 1) bad('heading skips a level', h);
  level = own;
});
if (!document.documentElement.lang) out.bad.push('no language');
$$('body *').filter(isShown).forEach(e => {
  const style = getComputedStyle(e), scrolls = /auto|scroll/.test(style.overflowX + style.overflowY);
  const overflows = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
  if (scrolls && overflows && e.tabIndex < 0 && !$('button,a[href],input,select,[tabindex]', e)) bad('scrolls without keys', e);
});
