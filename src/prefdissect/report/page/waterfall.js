// How properties add up to the probability of A, or to its log-odds.

// steps: { label, value, lower, upper, text, key, data }; they start at `start`.
function waterfall(steps, { width, start, title, label, format, end, onclick }) {
  const size = 12, height = 22, left = Math.min(widest(steps.map(t => t.label), size) + 14, width * 0.42), right = 66, top = 24;
  let at = start;
  const placed = steps.map(t => ({ ...t, from: at, to: (at += t.value) }));
  const values = [start, ...placed.map(t => t.to)], low = Math.min(...values), high = Math.max(...values), pad = (high - low) * 0.08 || 0.05;
  const x = scale(low - pad, high + pad, left, width - right), bottom = top + height * Math.max(1, placed.length);
  x.from = left; x.to = width - right;
  const marks = ticks(low - pad, high + pad, Math.max(3, Math.round((width - left) / 110)));
  return figure(width, bottom + 38, label,
    xAxis(x, marks, top, bottom, { title, baseline: start }),
    s('text', { class: 'end', x: x(at), y: top - 9, 'text-anchor': 'middle', 'data-value': at }, end),
    s('line', { class: 'base dashed', x1: x(at), x2: x(at), y1: top - 4, y2: bottom }),
    placed.map((t, i) => {
      const y = top + height * i, up = t.value >= 0, text = `${format(t.value)}`;
      const outside = Math.max(x(t.from), x(t.to)) + 5;
      return s('g', { class: 'step', 'data-property': t.key, 'data-value': t.value, 'data-lower': t.lower, 'data-upper': t.upper },
        s('title', null, t.text),
        s('g', { class: 'link', 'data-key': `step:${t.key}`, ...pressable(() => onclick(t.key), t.text) },
          s('text', { class: 'name', x: left - 8, y: y + height / 2 + 4, 'text-anchor': 'end' }, clipped(t.label, left - 10, size))),
        s('rect', { class: up ? 'up' : 'down', x: Math.min(x(t.from), x(t.to)), y: y + 4, width: Math.max(1, Math.abs(x(t.to) - x(t.from))), height: height - 8 }),
        i + 1 < placed.length && s('line', { class: 'joint', x1: x(t.to), x2: x(t.to), y1: y + height - 4, y2: y + height + 4 }),
        s('text', { class: 'number', x: outside, y: y + height / 2 + 4 }, text));
    }));
}
