// The page: sections, the view in the address, and drawing again when either changes.

const sections = { summary: summarySection, properties: propertiesSection, judges: judgesSection, pairs: pairsSection, terms: termsSection, trust: trustSection, audit: auditSection, data: dataSection, making: makingSection };
const THEMES = { auto: 'Theme: automatic', light: 'Theme: light', dark: 'Theme: dark' };
let texts = { pairs: [], columns: {} }, shown = null;

function draw() {
  const name = state.get('section', 'summary', Object.keys(sections)), section = sections[name], main = document.getElementById('main');
  document.documentElement.dataset.theme = state.get('theme', 'auto', Object.keys(THEMES));
  refill(document.getElementById('nav'), () => [
    ...Object.entries(sections).map(([key, { title }]) => h('button', { 'data-key': `go:${key}`, 'aria-current': key === name ? 'page' : null,
      onclick: () => state.set({ section: key }, { push: true }) }, title)),
    h('select', { class: 'theme', 'aria-label': 'Theme', 'data-key': 'theme', onchange: e => state.set({ theme: e.target.value }) },
      Object.entries(THEMES).map(([value, label]) => h('option', { value, selected: value === state.get('theme', 'auto') }, label)))]);
  showCurrent(document.getElementById('nav'));
  if (shown !== name) {
    main.replaceChildren(h('section', { id: name, class: 'page', 'aria-labelledby': 'heading' }, h('h2', { id: 'heading' }, section.title), h('div', { class: 'controls', id: 'controls' }), h('div', { id: 'body' })));
    shown = name;
    scrollTo(0, 0);
  }
  if (section.controls) refill(document.getElementById('controls'), section.controls);
  const body = document.getElementById('body');
  refill(body, () => section.build(body.clientWidth));
}

// On a phone the sections are wider than the screen.
function showCurrent(nav) {
  const one = nav.querySelector('[aria-current]'), left = one.offsetLeft - nav.offsetLeft, right = left + one.offsetWidth;
  if (left < nav.scrollLeft || right > nav.scrollLeft + nav.clientWidth) nav.scrollLeft = left - 24;
}

async function start() {
  try {
    study = unpackStudy(await decompress('given'));
  } catch (error) {
    document.getElementById('loading').textContent = 'This page cannot be read: the browser is too old, or the file is damaged. It needs one of 2023 or later.';
    throw error;
  }
  state.changed = draw;
  draw();
  document.getElementById('footer').textContent = `Made with prefdissect ${study.making.versions.find(([name]) => name === 'prefdissect')?.[1] ?? ''}. This file needs no network and sends nothing.`;
  document.querySelector('.skip').addEventListener('click', event => {
    event.preventDefault(); // the address holds the view
    document.getElementById('main').focus();
  });
  addEventListener('popstate', draw);
  addEventListener('hashchange', draw);
  let width = innerWidth;
  addEventListener('resize', () => { if (innerWidth !== width) { width = innerWidth; later(draw); } });
  texts = await decompress('texts'); // after the first picture: they are the most of the file
  searched = null;
  document.documentElement.dataset.ready = 'yes';
  if (shown === 'pairs') draw();
}

start();
