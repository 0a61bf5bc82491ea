// Saving a table as CSV and a figure as SVG.

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// A cell that a spreadsheet would run as a formula is kept as text.
function csvCell(value) {
  if (typeof value === 'number') return known(value) ? String(+value.toPrecision(7)) : '';
  const text = value === null || value === undefined ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
const csv = (names, rows) => [names, ...rows].map(row => row.map(csvCell).join(',')).join('\r\n');

// The styles that a figure takes from the page are written into the copy, so that it stands alone.
const DRAWN = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'font-size', 'font-family', 'font-weight', 'text-anchor', 'opacity'];
function svgText(figure) {
  const copy = figure.cloneNode(true), from = figure.querySelectorAll('*'), to = copy.querySelectorAll('*');
  from.forEach((node, i) => {
    const style = getComputedStyle(node);
    DRAWN.forEach(name => to[i].setAttribute(name, style.getPropertyValue(name)));
  });
  copy.prepend(s('rect', { width: '100%', height: '100%', fill: getComputedStyle(document.documentElement).backgroundColor }));
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return new XMLSerializer().serializeToString(copy);
}

const saveButtons = (figure, name, columns, rows) => h('div', { class: 'buttons' },
  figure && h('button', { onclick: () => save(`${name}.svg`, 'image/svg+xml', svgText(figure)) }, 'Save figure (SVG)'),
  columns && h('button', { onclick: () => save(`${name}.csv`, 'text/csv', csv(columns, rows)) }, 'Save numbers (CSV)'));
