// Whether the fits can be trusted: findings, calibration, scores on unseen pairs.

const LEVELS = ['stop', 'look', 'ok', 'not checked'];
const levelMark = (level, text = level) => h('span', { class: `level ${level === 'not checked' ? 'unchecked' : level}` }, text);

const trustSection = {
  title: 'Trust',
  controls: () => [
    choice('Judge', 'tjudge', [{ value: '', label: 'all' }, ...study.judges], ''),
    choice('Group', 'tgroup', [{ value: '', label: 'all' }, ...groupOptions(study.groupIds)], ''),
    choice('Check', 'check', [{ value: '', label: 'all' }, ...checkNames()], ''),
    choice('Level', 'level', [{ value: '', label: 'all' }, ...LEVELS], '')],
  build: width => {
    const judge = state.get('tjudge', '', study.judges), group = state.get('tgroup', '', study.groupIds), level = state.get('level', '', LEVELS), check = state.get('check', '', checkNames());
    const mine = row => (!judge || row.judge === judge) && (!group || row.group === group);
    const rows = study.trust.checks.filter(row => mine(row) && (!level || row.level === level) && (!check || row.check === check));
    return [h('div', { class: 'beside' },
      h('section', null, h('h3', null, 'Checks'), h('p', { class: 'note' }, 'Stop: do not report these weights as they are. Look: read this before reporting them. A mark leads to its findings.'), overview(study.trust.checks.filter(mine))),
      calibrationOf(judge || study.judges[0], width > 1000 ? 400 : width)),
    findings(rows), scoresOf(study.trust.scores.filter(mine))];
  },
};

const checkNames = () => [...new Set(study.trust.checks.map(r => r.check))];

// Of each check what it asks, and how many fits it has at each level.
function overview(rows) {
  const names = [...new Set(rows.map(r => r.check))];
  const counted = names.map(name => ({ name, ...Object.fromEntries(LEVELS.map(l => [l, rows.filter(r => r.check === name && r.level === l).length])) }));
  const button = (row, l) => (row[l] ? h('button', { class: `level ${l === 'not checked' ? 'unchecked' : l}`, 'data-key': `${row.name}:${l}`, onclick: () => {
    state.set({ check: row.name, level: l });
    document.querySelector('[data-key=findings]')?.scrollIntoView({ block: 'start' });
  } }, `${row[l]} ${l}`) : null);
  return table([{ name: 'check', of: r => h('span', { title: study.trust.asks[r.name] }, r.name) }, { name: 'what it asks', of: r => h('span', { class: 'dim' }, study.trust.asks[r.name] ?? '') }, { name: 'fits', of: r => h('span', { class: 'levels' }, LEVELS.map(l => button(r, l))) }], counted, { stacked: true, key: r => r.name });
}

function findings(rows) {
  const sorted = [...rows].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  return h('details', { open: true, 'data-key': 'findings' }, h('summary', null, `${count(rows.length)} ${rows.length === 1 ? 'finding' : 'findings'}, the worst first`),
  h('p', { class: 'note' }, 'What to do is for whoever made this page: names in it are arguments of prefdissect.'), table([
    { name: 'level', of: r => levelMark(r.level), brief: true }, { name: 'check', of: r => r.check, brief: true },
    { name: 'judge', of: r => h('bdi', null, r.judge), brief: true }, { name: 'group', of: r => h('bdi', null, groupName(r.group)), brief: true },
    { name: 'finding', of: r => h('bdi', null, r.said) }, { name: 'what to do', of: r => h('bdi', null, r.advice) }], sorted, { most: 16, stacked: true, key: r => `${r.check}|${r.judge}|${r.group}` }),
  saveButtons(null, 'checks', ['check', 'judge', 'group', 'level', 'said', 'number', 'advice'], sorted.map(r => [r.check, r.judge, r.group, r.level, r.said, r.number, r.advice])));
}

const scoresOf = rows => h('section', null, h('h3', null, 'Pairs that the fits had not seen'),
  rows.length > 0 && h('p', { class: 'note' }, `Each pair is predicted by a fit to the other ${study.trust.folds - 1} of ${study.trust.folds} parts of the pairs, those of one prompt in one part. Beside the fit stand simple rules: the more frequent verdict, length alone, and the best single property. Accuracy: share of verdicts that are right, ± one standard error, in which pairs of one prompt count together. Log loss (nats) and Brier score: less is better, a coin flip has 0.693 and 0.250. AUC: more is better, 0.5 is chance.`),
  rows.length ? table([
    { name: 'judge', of: r => h('bdi', null, r.judge) }, { name: 'group', of: r => h('bdi', null, groupName(r.group)) }, { name: 'model', of: r => r.model },
    { name: 'pairs', of: r => r.n, digits: 0, right: true }, { name: 'accuracy', of: r => r.accuracy ?? NaN, right: true }, { name: '±', of: r => r.error ?? NaN, right: true }, { name: 'log loss', of: r => r.log_loss ?? NaN, right: true },
    { name: 'AUC', of: r => r.auc ?? NaN, right: true }, { name: 'Brier', of: r => r.brier ?? NaN, right: true }, { name: 'property', of: r => h('bdi', null, r.property ?? '') }],
  rows, { most: 24, key: r => `${r.judge}|${r.group}|${r.model}` }) : h('p', { class: 'note' }, 'No fit has clusters of pairs enough to hold some out.'));

function calibrationOf(judge, width) {
  const rows = study.trust.calibration[judge], others = study.judges.length > 1;
  if (!rows) return null;
  const chart = calibration(rows, { width, label: `Calibration of ${judge}` });
  return h('section', { id: 'calibration', 'data-judge': judge }, h('h3', null, 'Calibration: ', h('bdi', null, judge)),
    h('p', { class: 'note' }, 'Held-out pairs of all its groups, in ten bins of equal size, with 95% intervals. On the line predictions come true as often as they say.', others ? ' Another judge: choose it above.' : ''), chart, saveButtons(chart, 'calibration', ['predicted', 'observed', 'lower', 'upper', 'n'], rows.map(r => [r.predicted, r.observed, r.lower, r.upper, r.n])));
}
