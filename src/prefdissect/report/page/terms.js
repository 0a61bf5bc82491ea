// What fits hold beside properties: ties, being shown first, the models that wrote the responses.

const TERMS = {
  ties: ['Ties', 'How often two responses that are equal in everything are tied.'],
  order: ['Shown first', 'How often the one of two equal responses wins that is shown first.'],
  generator: ['Models', 'How often a model wins against an average one, with the properties held equal.'],
  nuisance: ['Others', 'How often A wins where nothing but this differs, by one.'],
};

const termsSection = {
  title: 'Ties, order, models',
  controls: () => [choice('Judge', 'njudge', [{ value: '', label: 'all' }, ...study.judges], '')],
  build: () => {
    const judge = state.get('njudge', '', study.judges), { rows, notes, effects } = study.terms;
    const parts = Object.entries(TERMS).map(([term, told]) => termTable(told, rows.filter(r => r.term === term && (!judge || r.judge === judge))));
    return [rows.length ? null : h('p', { class: 'note' }, 'These fits hold properties only.'), ...parts,
      notes.length ? h('section', null, h('h3', null, 'To know'), h('ul', null, notes.map(note => h('li', null, h('bdi', null, note))))) : null,
      effects.length ? h('section', null, h('h3', null, 'Design effects'), h('p', { class: 'note' }, 'Rows weigh one over this, as pairs of one cluster repeat one another.'), table([
        { name: 'judge', of: r => h('bdi', null, r.judge) }, { name: 'group', of: r => h('bdi', null, groupName(r.group)) },
        { name: 'design effect', of: r => r.design_effect, right: true }], effects, { most: 24 })) : null].filter(Boolean);
  },
};

function termTable([title, meaning], rows) {
  if (!rows.length) return null;
  const sorted = [...rows].sort((a, b) => (a.judge === b.judge && a.group === b.group ? b.probability - a.probability : 0));
  return h('section', null, h('h3', null, title), h('p', { class: 'note' }, meaning), table([
    { name: 'judge', of: r => h('bdi', null, r.judge) }, { name: 'group', of: r => h('bdi', null, groupName(r.group)) }, { name: 'name', of: r => h('bdi', null, r.name) },
    { name: 'probability', of: r => r.probability ?? NaN, right: true }, { name: 'lower', of: r => r.probability_lower ?? NaN, right: true },
    { name: 'upper', of: r => r.probability_upper ?? NaN, right: true }, { name: 'log-odds', of: r => r.mean ?? NaN, right: true },
    { name: 'pairs that tell', of: r => r.n_differs ?? NaN, digits: 0, right: true }], sorted, { most: 24, key: r => `${r.judge}|${r.group}|${r.name}` }),
  saveButtons(null, title, ['judge', 'group', 'name', 'probability', 'lower', 'upper', 'log_odds'], sorted.map(r => [r.judge, r.group, r.name, r.probability, r.probability_lower, r.probability_upper, r.mean])));
}

// How likely a tie is at these log-odds, by the fit of a judge and group; null where its fits know no ties.
function tieChance(judge, group, logit) {
  const cut = study.terms.rows.find(r => r.term === 'ties' && r.judge === judge && r.group === group);
  if (!cut || !known(cut.mean)) return null;
  if (cut.name === 'ordered') return 1 / (1 + Math.exp(logit - Math.exp(cut.mean))) - 1 / (1 + Math.exp(logit + Math.exp(cut.mean)));
  const nu = Math.exp(cut.mean);
  return nu / (Math.exp(logit / 2) + Math.exp(-logit / 2) + nu);
}

// Surprise is told given a decision: a tie has none where fits know ties.
const surpriseOf = (judge, group, label, logit) => (label === 0.5 && tieChance(judge, group, logit) !== null ? NaN : surprise(label, logit));
