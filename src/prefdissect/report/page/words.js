// The words of the page, for whoever meets them first here.

const WORDS = () => [
  ['Judge', 'Whoever said which of two responses is better: a person, a language model, a reward model.'],
  ['Pair', 'Two responses, A and B, to one prompt.'],
  ['Property', 'What a response can have more or less of. The ratings of both say which has more.'],
  ['Group', 'A kind of request (scenario), or a subset of pairs. Overall is the mean over scenarios.'],
  ['Fit', 'A logistic regression of one judge’s verdicts in one group on the differences in properties.'],
  ['Weight', 'What having more of a property adds to the log-odds of being preferred, all else alike. It describes what goes with being preferred, and is no proof of a cause.'],
  ['Probability', 'A weight as a chance: 0.5 makes no difference, 0.6 wins six times in ten.'],
  ['Interval', `Where the value is with ${study.percent} probability, given the model and the pairs.`],
  ['Prior', 'What was believed of a weight before any pair was seen: most likely near 0. Where few pairs differ in a property, this is all there is.'],
  ['Posterior', 'What is believed after the pairs were seen: prior and data together.'],
  ['Noise taken out', 'Weights are estimates, and errors of estimation make judges look less alike than they are. The corrected similarity is that of the true weights.'],
  ['Ceiling', 'How alike a judge would be to itself, on fresh verdicts of as many pairs.'],
  ['Held out', 'Pairs that a fit had not seen when it predicted them.'],
];

const wordsOf = () => h('details', { class: 'words', 'data-key': 'words' }, h('summary', null, 'Words of this page'),
  h('dl', { class: 'facts' }, WORDS().map(([word, meaning]) => [h('dt', null, word), h('dd', null, meaning)])));
