// What was read and dropped, and how this was made.

const list = rows => h('dl', { class: 'facts' }, rows.map(([a, b]) => [h('dt', null, h('bdi', null, a)), h('dd', null, h('bdi', null, b))]));

const dataSection = {
  title: 'Data',
  build: () => {
    const { facts, left_out: leftOut, dropped } = study.reading, sums = new Map();
    dropped.forEach(r => sums.set(r.reason, (sums.get(r.reason) || 0) + r.n));
    return [h('section', null, h('h3', null, 'What was read'), list(facts)),
      h('section', null, h('h3', null, 'Left out by the reader'), leftOut.length ? list(leftOut.map(([reason, n]) => [reason, count(n)])) : h('p', null, 'Nothing.')),
      h('section', null, h('h3', null, 'Left out of fits'), dropped.length
        ? [list([...sums].map(([reason, n]) => [reason, `${count(n)}, over all fits`])), table([
          { name: 'judge', of: r => h('bdi', null, r.judge) }, { name: 'group', of: r => h('bdi', null, groupName(r.group)) }, { name: 'reason', of: r => r.reason },
          { name: 'pairs', of: r => r.n, digits: 0, right: true }], dropped, { most: 30 })]
        : h('p', null, 'Nothing.')),
      h('section', null, h('h3', null, 'Properties'), study.properties.some(p => !p.description) && h('p', { class: 'note' }, 'A schema says what properties mean: schema= of load() (--schema).'), table([
        { name: 'property', of: p => h('button', { class: 'quiet', onclick: () => state.set({ section: 'properties', property: p.id }, { push: true }) }, h('bdi', null, p.label)) },
        { name: 'id', of: p => h('code', null, p.id) }, { name: 'kind', of: p => p.kind }, { name: 'what it means', of: p => (p.description ? h('bdi', null, p.description) : h('span', { class: 'dim' }, 'not described')) }], study.properties))];
  },
};

const makingSection = {
  title: 'How this was made',
  build: () => {
    const { options, versions, call, cite } = study.making;
    return [h('section', null, h('h3', null, 'The call'), h('pre', null, call)),
      h('section', null, h('h3', null, 'Options'), list(options)),
      h('section', null, h('h3', null, 'Versions'), list(versions)),
      h('section', null, h('h3', null, 'Fits'), h('p', { class: 'note' }, 'One judge in one group each. Between A and B: pairs on which the judge was undecided, or its answers average to neither. Certified: the sampler met its own criteria, so the numbers are those of the model.'), fitsTable()),
      h('section', null, h('h3', null, 'To cite'), cite.map(line => h('p', null, line)))];
  },
};

function fitsTable() {
  const rows = study.judges.flatMap((judge, j) => study.groups.map((group, g) => ({ judge, group: group.id, pairs: fitOf(j, g, 'n_pairs'), engine: fitOf(j, g, 'engine'), certified: fitOf(j, g, 'certified'), soft: fitOf(j, g, 'n_soft') })));
  return table([{ name: 'judge', of: r => h('bdi', null, r.judge) }, { name: 'group', of: r => h('bdi', null, groupName(r.group)) }, { name: 'pairs', of: r => r.pairs, digits: 0, right: true },
    { name: 'between A and B', of: r => r.soft, digits: 0, right: true }, { name: 'engine', of: r => r.engine }, { name: 'certified', of: r => (r.engine === 'none' ? 'not fitted' : r.certified ? 'yes' : 'NO') }], rows, { most: 40, key: r => `${r.judge}|${r.group}` });
}
