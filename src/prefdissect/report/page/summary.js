// The whole in a few sentences, each with the way to what is behind it.

const BEHIND = { 'Who is alike': 'judges', 'Can it be trusted': 'trust', 'How well it predicts': 'trust', 'What this is': 'data', 'How far it can be gamed': 'audit' };

const summarySection = {
  title: 'Summary',
  build: () => study.summary.map(part => h('article', { class: `said ${part.level || ''}` },
    h('h3', null, h('bdi', null, part.topic), part.level && h('span', { class: `level ${part.level}` }, part.level)),
    part.said.map(line => h('p', null, h('bdi', null, line))),
    h('button', { class: 'quiet', onclick: () => state.set({ section: BEHIND[part.topic] || 'properties' }, { push: true }) },
      `See ${sections[BEHIND[part.topic] || 'properties'].title}`))).concat(
    h('p', { class: 'note' }, `Numbers of properties are probabilities: the chance that a response is preferred that has more of it, of two that are alike in all else. Intervals are equal-tailed and hold ${study.percent} of the posterior.`),
    wordsOf()),
};
