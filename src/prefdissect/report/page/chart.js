// What all charts share: scales, axes, colours, and labels that have room.

// Okabe and Ito 2008: told apart by colour-blind readers; markers tell them apart in grey.
const COLOURS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7', '--c8'];
const colour = i => `var(${COLOURS[i % COLOURS.length]})`;

function marker(i, x, y, r, attributes) {
  const shapes = [
    () => s('circle', { cx: x, cy: y, r, ...attributes }),
    () => s('rect', { x: x - r * 0.9, y: y - r * 0.9, width: r * 1.8, height: r * 1.8, ...attributes }),
    () => s('path', { d: `M${x} ${y - r * 1.3}L${x + r * 1.3} ${y}L${x} ${y + r * 1.3}L${x - r * 1.3} ${y}Z`, ...attributes }),
    () => s('path', { d: `M${x} ${y - r * 1.2}L${x + r * 1.15} ${y + r}L${x - r * 1.15} ${y + r}Z`, ...attributes }),
    () => s('path', { d: `M${x} ${y + r * 1.2}L${x + r * 1.15} ${y - r}L${x - r * 1.15} ${y - r}Z`, ...attributes }),
  ];
  return shapes[i % shapes.length]();
}

const scale = (low, high, from, to) => value => from + (to - from) * (value - low) / (high - low || 1);

// Round numbers from low to high, about so many.
function ticks(low, high, about = 5) {
  const raw = (high - low) / about || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(m => m * power).find(m => m >= raw);
  const out = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-9; t += step) out.push(+t.toFixed(10));
  return out;
}
const tickText = (value, all) => {
  const step = all.length > 1 ? all[1] - all[0] : 1;
  return fixed(value, Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9))));
};

function xAxis(x, marks, top, bottom, { title, baseline } = {}) {
  return s('g', { class: 'axis' }, marks.map(t => [
    s('line', { class: t === baseline ? 'base' : 'grid', x1: x(t), x2: x(t), y1: top, y2: bottom }),
    s('text', { x: x(t), y: bottom + 14, 'text-anchor': 'middle' }, tickText(t, marks))]),
  baseline !== undefined && !marks.includes(baseline) &&
    s('line', { class: 'base', x1: x(baseline), x2: x(baseline), y1: top, y2: bottom }),
  title && s('text', { class: 'title', x: (x.from + x.to) / 2 || x(marks[0]), y: bottom + 30, 'text-anchor': 'middle' }, title));
}

// The width that the longest label needs, in the font of the page.
let ruler = null;
function textWidth(text, size = 12) {
  ruler ??= document.createElement('canvas').getContext('2d');
  ruler.font = `${size}px system-ui, sans-serif`;
  return ruler.measureText(text).width;
}
const widest = (texts, size) => texts.reduce((w, t) => Math.max(w, textWidth(t, size)), 0);

// A label in the room there is: what does not fit is cut, and its title holds all.
function clipped(text, room, size = 12) {
  if (textWidth(text, size) <= room) return text;
  let fits = 1, over = text.length;
  while (over - fits > 1) {
    const middle = (fits + over) >> 1;
    if (textWidth(`${text.slice(0, middle)}…`, size) > room) over = middle; else fits = middle;
  }
  return `${text.slice(0, fits)}…`;
}

const figure = (width, height, label, ...children) =>
  s('svg', { class: 'figure', width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': label }, children);

// From blue through the paper's white to orange: middle is neutral, and dark letters stand on light cells.
function diverging(value, reach) {
  const t = Math.max(-1, Math.min(1, value / (reach || 1))), end = t < 0 ? [0, 95, 160] : [200, 80, 0], p = Math.abs(t) ** 0.85;
  const mix = end.map(c => Math.round(247 + (c - 247) * p));
  return { fill: `rgb(${mix.join(',')})`, ink: p > 0.72 ? '#fff' : '#111' };
}
