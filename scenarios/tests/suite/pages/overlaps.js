// Finds texts of static figures that overlap, or that extend beyond the edge of their figure, as the browser
// lays them out. Ascenders and descenders are not counted: a fifth of a text's height on either side.
$$('.frame').forEach(f => f.style.setProperty('display', 'block', 'important'));
out.overlaps = [];
out.clipped = [];
out.texts = 0;
for (const svg of $$('.frame svg')) {
  const owner = svg.closest('figure').id, view = svg.viewBox.baseVal;
  const boxes = $$('text', svg).filter(t => t.textContent.trim()).map(t => {
    const b = t.getBBox(), m = svg.getScreenCTM().inverse().multiply(t.getScreenCTM());
    const ix = Math.min(2, b.width * .05), iy = b.height * .2;
    const c = [[b.x + ix, b.y + iy], [b.x + b.width - ix, b.y + iy],
      [b.x + b.width - ix, b.y + b.height - iy], [b.x + ix, b.y + b.height - iy]]
      .map(([x, y]) => [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f]);
    const xs = c.map(p => p[0]), ys = c.map(p => p[1]);
    return { t: t.textContent, c, l: Math.min(...xs), r: Math.max(...xs), u: Math.min(...ys), d: Math.max(...ys) };
  });
  out.texts += boxes.length;
  const axes = c => [[c[1][0] - c[0][0], c[1][1] - c[0][1]], [c[3][0] - c[0][0], c[3][1] - c[0][1]]];
  const apart = (a, b) => axes(a.c).concat(axes(b.c)).some(([x, y]) => {
    const p = q => q.c.map(([u, v]) => u * x + v * y), pa = p(a), pb = p(b);
    return Math.max(...pa) <= Math.min(...pb) || Math.max(...pb) <= Math.min(...pa);
  });
  for (const b of boxes)
    if (b.l < view.x - 1 || b.u < view.y - 1 || b.r > view.x + view.width + 1 || b.d > view.y + view.height + 1)
      out.clipped.push(owner + ': ' + b.t);
  boxes.sort((a, b) => a.u - b.u);
  boxes.forEach((a, i) => {
    for (let k = i + 1; k < boxes.length && boxes[k].u < a.d; k++) {
      const b = boxes[k];
      if (a.l < b.r && b.l < a.r && !apart(a, b)) out.overlaps.push(owner + ': ' + a.t + ' | ' + b.t);
    }
  });
}
