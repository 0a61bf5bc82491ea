// A matrix of coloured cells with numbers, where they have room.

// cell(i, j) gives { value, text, small, data } or null
function heat(rows, columns, cell, { width, reach, middle = 0, label, onrow, oncell, rowKey, beside }) {
  const size = 12, left = Math.min(widest(rows, size) + 12, width * 0.32) + (beside?.width ?? 0);
  const tallest = Math.min(150, widest(columns, size)), most = columns.length < 9 ? 92 : 64;
  const tilt = tallest > Math.min(most, (width - left) / columns.length) - 4, slant = tilt ? tallest * 0.72 : 0;
  const each = Math.max(tilt ? 17 : 11, Math.min(most, (width - left - slant - 4) / columns.length)), high = Math.max(15, Math.min(30, each));
  const cells = rows.map((_, i) => columns.map((__, j) => cell(i, j)));
  const shown = cells.flat().filter(Boolean).map(c => c.shown ?? fixed(c.value));
  const numbers = widest(shown, 11) + 4 <= each, smalls = numbers && high >= 28 && widest(cells.flat().map(c => c?.small ?? ''), 9) + 4 <= each;
  const top = tilt ? slant + 14 : 22, total = left + each * columns.length + slant + 4, bottom = top + high * rows.length;
  return figure(Math.max(total, 60), bottom + 6, label,
    columns.map((name, j) => {
      const x = left + each * (j + 0.5), y = top - 6;
      return s('text', tilt ? { x, y, 'text-anchor': 'start', transform: `rotate(-45 ${x} ${y})` } : { x, y, 'text-anchor': 'middle' },
        clipped(name, tilt ? 150 : each - 2, size), s('title', null, name));
    }),
    rows.map((name, i) => {
      const text = s('text', { x: left - 6 - (beside?.width ?? 0), y: top + high * (i + 0.5) + 4, 'text-anchor': 'end' },
        clipped(name, left - 8 - (beside?.width ?? 0), size), s('title', null, name));
      return onrow ? s('g', { class: 'link', 'data-key': rowKey?.(i), ...pressable(() => onrow(i), name) }, text) : text;
    }),
    beside && s('g', { transform: `translate(${left - beside.width} ${top})` }, beside.draw(high)),
    rows.map((row, i) => columns.map((column, j) => {
      const c = cells[i][j], lines = smalls && c?.small ? 2 : 1;
      if (!c) return null;
      const look = known(c.value) && !c.prior ? diverging(c.value - middle, reach) : { fill: c.prior ? 'var(--page)' : 'var(--none)', ink: 'var(--soft)' };
      return s('g', { class: oncell ? 'cell link' : 'cell', 'data-value': c.value, ...c.data, ...(oncell ? walkable(i, j, () => oncell(i, j), c.text) : {}) },
        s('title', null, c.text),
        s('rect', { x: left + each * j, y: top + high * i, width: each - 1, height: high - 1, fill: look.fill }),
        c.prior && s('line', { class: 'struck', x1: left + each * j, y1: top + high * (i + 1) - 1, x2: left + each * (j + 1) - 1, y2: top + high * i }),
        numbers && s('text', { class: 'inside', x: left + each * (j + 0.5) - 0.5, y: top + high * (i + 0.5) + (lines === 2 ? -1 : 4), 'text-anchor': 'middle', fill: look.ink }, c.shown ?? fixed(c.value)),
        lines === 2 && s('text', { class: 'small', x: left + each * (j + 0.5) - 0.5, y: top + high * (i + 0.5) + 10, 'text-anchor': 'middle', fill: look.ink }, c.small));
    })));
}

// A cell that can be reached by one stop of the tab key and then by arrows, and pressed.
function walkable(i, j, run, label) {
  const { onkeydown, ...rest } = pressable(run, label);
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  return { ...rest, tabindex: i || j ? -1 : 0, 'data-place': `${i},${j}`,
    onkeydown: event => {
      const step = steps[event.key];
      if (!step) return onkeydown(event);
      event.preventDefault();
      event.currentTarget.ownerSVGElement.querySelector(`[data-place="${i + step[0]},${j + step[1]}"]`)?.focus();
    } };
}

function colourKey(reach, middle, format, other) {
  const steps = Array.from({ length: 41 }, (_, i) => -1 + i / 20);
  return h('div', { class: 'colour-key' }, h('span', null, format(middle - reach)),
    s('svg', { width: 164, height: 12, 'aria-hidden': true }, steps.map((t, i) => s('rect', { x: i * 4, y: 0, width: 4.2, height: 12, fill: diverging(t, 1).fill }))),
    h('span', null, format(middle + reach)), other && h('span', null, other));
}
