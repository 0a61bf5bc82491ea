// Points with intervals: a row for each name, in it a point for each series.

// rows: { name, title, key, points: [{ value, lower, upper, hollow, tick, text, data }] by series, onclick }
function dots(rows, { width, baseline, title, label, intervals, low, high, format }) {
  const n = Math.max(1, ...rows.map(r => r.points.length)), lane = n > 1 ? 9 : 0, height = Math.max(20, lane * n + 9);
  const size = 12, left = Math.min(widest(rows.map(r => r.name), size) + 14, width * 0.42), right = 16, top = 8;
  const values = rows.flatMap(r => r.points).flatMap(p => [p.value, p.tick, ...(intervals ? [p.lower, p.upper] : [])]).filter(known);
  const lowest = low ?? Math.min(baseline ?? Infinity, ...values), highest = high ?? Math.max(baseline ?? -Infinity, ...values);
  const pad = (highest - lowest) * 0.04 || 0.5, bottom = top + height * rows.length;
  const x = scale(lowest - pad, highest + pad, left, width - right);
  x.from = left; x.to = width - right;
  const marks = ticks(lowest - pad, highest + pad, Math.max(3, Math.round((width - left) / 90))).filter(t => low === undefined || t >= low);
  const middle = (r, k) => top + height * r + height / 2 + (k - (n - 1) / 2) * lane;
  return figure(width, bottom + 38, label,
    rows.map((row, r) => r % 2 ? s('rect', { class: 'band', x: 0, y: top + height * r, width, height }) : null),
    xAxis(x, marks, top, bottom, { title, baseline }),
    rows.map((row, r) => {
      const name = s('text', { class: 'name', x: left - 8, y: top + height * r + height / 2 + 4, 'text-anchor': 'end' },
        clipped(row.name, left - 10, size), s('title', null, row.title || row.name));
      return row.onclick
        ? s('g', { class: 'link', 'data-key': row.key, ...pressable(row.onclick, row.title || row.name) }, name)
        : name;
    }),
    rows.map((row, r) => row.points.map((p, k) => {
      if (!known(p.value)) return null;
      const y = middle(r, k), i = p.series ?? k;
      return s('g', { class: 'point', 'data-row': row.key ?? row.name, 'data-value': p.value, 'data-lower': p.lower, 'data-upper': p.upper, 'data-prior': p.prior ? 'yes' : null, ...p.data },
        s('title', null, p.text || `${row.name}: ${format(p.value)} ${within(p.lower, p.upper)}`),
        intervals && known(p.lower) && s('line', { x1: x(p.lower), x2: x(p.upper), y1: y, y2: y, stroke: colour(i), 'stroke-width': 1.8 }),
        known(p.tick) && s('line', { class: 'tick', x1: x(p.tick), x2: x(p.tick), y1: y - 6, y2: y + 6 }),
        known(p.hollow) && s('circle', { class: 'hollow', cx: x(p.hollow), cy: y, r: 3.2, stroke: colour(i) }),
        marker(i, x(p.value), y, 3.6, { fill: p.prior ? 'var(--page)' : colour(i), stroke: colour(i) }));
    })));
}

const legend = (names, withPrior) => h('ul', { class: 'legend' }, names.map((name, i) => h('li', null,
  s('svg', { width: 14, height: 14, 'aria-hidden': true }, marker(i, 7, 7, 4, { fill: colour(i) })), h('bdi', null, name))),
withPrior && h('li', null, s('svg', { width: 14, height: 14, 'aria-hidden': true }, marker(0, 7, 7, 4, { fill: 'var(--page)', stroke: 'var(--soft)' })),
  'hollow: nearly the prior, the data say next to nothing'));
