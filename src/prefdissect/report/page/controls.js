// Controls, each bound to one key of the view.

let numbered = 0;
const newId = () => `c${++numbered}`;

// One of several, as a list that opens. `options` are { value, label } or texts; `wide` ones are many.
function choice(label, key, options, fallback) {
  const id = newId(), given = options.map(o => (typeof o === 'string' ? { value: o, label: o } : o));
  const now = state.get(key, fallback, given.map(o => o.value));
  return h('div', { class: 'control-box' }, h('label', { for: id }, label),
    h('select', { id, 'data-key': key, onchange: e => state.set({ [key]: e.target.value }) },
      given.map(o => h('option', { value: o.value, selected: o.value === now }, o.label))));
}

// One of a few, side by side.
function radios(label, key, options, fallback) {
  const name = newId(), now = state.get(key, fallback, Object.keys(options));
  return h('fieldset', { class: 'radios' }, h('legend', null, label),
    Object.entries(options).map(([value, text]) => h('label', null,
      h('input', { type: 'radio', name, value, checked: value === now, 'data-key': `${key}=${value}`,
        onchange: () => state.set({ [key]: value }) }), h('span', null, text))));
}

function toggle(label, key, fallback) {
  const now = state.get(key, fallback ? 'yes' : 'no') === 'yes';
  return h('label', { class: 'toggle' },
    h('input', { type: 'checkbox', checked: now, 'data-key': key,
      onchange: e => state.set({ [key]: e.target.checked ? 'yes' : 'no' }) }), label);
}

// Several of many, with a filter, all and none.
function several(label, key, names, chosen) {
  const filter = h('input', { type: 'search', 'data-key': `${key}:filter`, placeholder: 'filter', 'aria-label': `filter ${label.toLowerCase()}` });
  const boxes = names.map(name => h('label', null,
    h('input', { type: 'checkbox', value: name, checked: chosen.includes(name), 'data-key': `${key}=${name}`, onchange: collect }),
    h('bdi', null, name)));
  function collect() {
    state.set({ [key]: boxes.map(b => b.firstChild).filter(b => b.checked).map(b => b.value) });
  }
  const setAll = on => { boxes.forEach(b => { if (!b.hidden) b.firstChild.checked = on; }); collect(); };
  filter.addEventListener('input', () => boxes.forEach((b, i) => {
    b.hidden = !names[i].toLowerCase().includes(filter.value.toLowerCase());
  }));
  const some = chosen.length === names.length ? 'all' : chosen.length <= 2 ? chosen.join(', ') || 'none' : chosen.length;
  return h('details', { class: 'several', 'data-key': `${key}:open` }, h('summary', null, `${label}: `, h('bdi', null, String(some))),
    h('div', { class: 'several-box' }, names.length > 8 && filter,
      h('div', { class: 'buttons' }, h('button', { 'data-key': `${key}:all`, onclick: () => setAll(true) }, 'all'), h('button', { 'data-key': `${key}:none`, onclick: () => setAll(false) }, 'none')),
      h('div', { class: 'boxes', role: 'group', 'aria-label': label }, boxes)));
}

// Build again what depends on the view, and put the reader back where they were: same control, same open lists, same filter.
function refill(box, build) {
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const open = new Set([...box.querySelectorAll('details[open][data-key]')].map(d => d.dataset.key));
  const scrolled = new Map([...box.querySelectorAll('.boxes')].map((b, i) => [i, b.scrollTop]));
  const filters = new Map([...box.querySelectorAll('[data-key$=":filter"]')].map(f => [f.dataset.key, f.value]));
  box.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
  box.querySelectorAll('details[data-key]').forEach(d => { if (open.has(d.dataset.key)) d.open = true; });
  box.querySelectorAll('.boxes').forEach((b, i) => { b.scrollTop = scrolled.get(i) || 0; });
  box.querySelectorAll('[data-key$=":filter"]').forEach(f => {
    if (filters.get(f.dataset.key)) { f.value = filters.get(f.dataset.key); f.dispatchEvent(new Event('input')); }
  });
  if (focused) [...box.querySelectorAll('[data-key]')].find(n => n.dataset.key === focused)?.focus();
}
