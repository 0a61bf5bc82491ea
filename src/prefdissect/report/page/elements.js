// Building elements. What a source says is only ever the text of a node: nothing here reads markup.

function make(space, name, attributes, children) {
  const node = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'value' || key === 'checked' || key === 'selected') node[key] = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  for (const child of [children].flat(Infinity))
    if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}
const h = (name, attributes, ...children) => make(null, name, attributes, children);
const s = (name, attributes, ...children) => make('http://www.w3.org/2000/svg', name, attributes, children);

// What can be pressed by a click, Enter or the space bar.
const pressable = (run, label) => ({ role: 'button', tabindex: 0, 'aria-label': label, onclick: run,
  onkeydown: event => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); run(); } } });

const say = text => { document.getElementById('said').textContent = text; };

// A text of a stranger, as text: each control that turns or hides letters is shown by its number, the rest as it is.
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu;
const FIRST = 20000; // characters that are shown before somebody asks for more
function strange(text) {
  const box = h('div', { class: 'strange', dir: 'auto', tabindex: 0 });
  const fill = upTo => {
    const shown = text.slice(0, upTo), parts = [];
    let last = 0;
    for (const match of shown.matchAll(CONTROLS)) {
      parts.push(shown.slice(last, match.index));
      const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
      parts.push(h('span', { class: 'control', title: `control character U+${code}` }, `U+${code}`));
      last = match.index + match[0].length;
    }
    box.replaceChildren(...parts, shown.slice(last));
    if (upTo < text.length)
      box.append(h('button', { class: 'more', onclick: () => fill(text.length) }, `Show all ${count(text.length)} characters`));
  };
  fill(FIRST);
  return box;
}

// A table: columns are { name, of, digits } with `of` taking a row to text, number or node.
function table(columns, rows, { caption, most = Infinity, key, dim, stacked } = {}) {
  const cell = (column, row) => {
    const value = column.of(row), number = typeof value === 'number';
    const text = number ? fixed(value, column.digits ?? 3) : value;
    return h('td', { class: number || column.right ? 'number' : column.brief ? 'brief' : null, 'data-value': number ? value : null }, text);
  };
  const body = h('tbody');
  const fill = upTo => body.replaceChildren(...rows.slice(0, upTo).map(row =>
    h('tr', { 'data-key': key ? key(row) : null, class: dim && dim(row) ? 'dim' : null }, columns.map(column => cell(column, row)))));
  fill(most);
  const left = rows.length - most;
  return h('div', { class: 'table' },
    h('table', { class: stacked ? 'stacked' : null }, caption && h('caption', null, caption),
      h('thead', null, h('tr', null, columns.map(column =>
        h('th', { scope: 'col', class: column.right ? 'number' : null }, column.name)))), body),
    left > 0 && h('button', { onclick: event => { fill(Infinity); event.target.remove(); } }, `Show ${count(left)} more rows`));
}
