// Observed shares against predicted probabilities, with Wilson's intervals.

function calibration(rows, { width, label }) {
  const size = Math.min(width, 420), left = 44, top = 10, bottom = size - 40;
  const x = scale(0, 1, left, size - 12), y = scale(0, 1, bottom, top), marks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  return figure(size, size, label,
    marks.map(t => s('g', { class: 'axis' },
      s('line', { class: 'grid', x1: x(t), x2: x(t), y1: top, y2: bottom }), s('line', { class: 'grid', x1: left, x2: size - 12, y1: y(t), y2: y(t) }),
      s('text', { x: x(t), y: bottom + 15, 'text-anchor': 'middle' }, fixed(t, 1)), s('text', { x: left - 6, y: y(t) + 4, 'text-anchor': 'end' }, fixed(t, 1)))),
    s('line', { class: 'base dashed', x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
    s('text', { class: 'title', x: (left + size) / 2, y: size - 6, 'text-anchor': 'middle' }, 'predicted probability of A'),
    s('text', { class: 'title', x: 12, y: size / 2 - 14, 'text-anchor': 'middle', transform: `rotate(-90 12 ${size / 2 - 14})` }, 'share that preferred A'),
    rows.map(r => s('g', { class: 'point', 'data-value': r.observed, 'data-predicted': r.predicted },
      s('title', null, `predicted ${fixed(r.predicted)}, observed ${fixed(r.observed)} ${within(r.lower, r.upper)} (95%) in ${r.n} pairs`),
      s('line', { x1: x(r.predicted), x2: x(r.predicted), y1: y(r.lower), y2: y(r.upper), stroke: colour(0), 'stroke-width': 1.6 }),
      marker(0, x(r.predicted), y(r.observed), 3.8, { fill: colour(0) }))));
}
