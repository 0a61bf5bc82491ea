// Whether the fits can be trusted: findings, calibration, scores on unseen pairs.

const LEVELS = ['stop', 'look', 'ok'];

const trustSection = {
  title: 'Trust',
  controls: () => [
    choice('Judge', 'tjudge', [{ value: '', label: 'all' }, ...study.judges], ''),
    choice('Group', 'tgroup', [{ value: '', label: 'all' }, ...groupOptions(study.groupIds)], ''),
    choice('Level', 'level', [{ value: '', label: 'all' }, ...LEVELS], '')],
  build: width => {
    const judge = state.get('tjudge', '', study.judges), group = state.get('tgroup', '', study.groupIds), level = state.get('level', '', LEVELS);
    const mine = row => (!judge || row.judge === judge) && (!group || row.group === group);
    const rows = study.trust.checks.filter(row => mine(row) && (!level || row.level === level));
    return [h('div', { class: 'beside' },
      h('section', null, h('h3', null, 'Checks'), overview(study.trust.checks.filter(mine))),
      calibrationOf(judge || study.judges[0], width > 1000 ? 400 : width)),
    findings(rows), scoresOf(study.trust.scores.filter(mine))];
  },
};

// Of each check how many fits it has at each level.
function overview(rows) {
  const names = [...new Set(rows.map(r => r.check))];
  const counted = names.map(name => ({ name, ...Object.fromEntries(LEVELS.map(l => [l, rows.filter(r => r.check === name && r.level === l).length])) }));
  const button = (row, l) => (row[l] ? h('span', { class: `level ${l}` }, `${row[l]} ${l}`) : '');
  return table([{ name: 'check', of: r => r.name }, ...LEVELS.map(l => ({ name: l, of: r => button(r, l) }))], counted, { key: r => r.name });
}

function findings(rows) {
  const sorted = [...rows].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  return h('details', { open: true, 'data-key': 'findings' }, h('summary', null, `${count(rows.length)} findings, the worst first`), table([
    { name: 'level', of: r => h('span', { class: `level ${r.level}` }, r.level) }, { name: 'check', of: r => r.check },
    { name: 'judge', of: r => h('bdi', null, r.judge) }, { name: 'group', of: r => h('bdi', null, groupName(r.group)) },
    { name: 'finding', of: r => h('bdi', null, r.said) }, { name: 'what to do', of: r => h('bdi', null, r.advice) }], sorted, { most: 16, key: r => `${r.check}|${r.judge}|${r.group}` }),
  saveButtons(null, 'checks', ['check', 'judge', 'group', 'level', 'said', 'number', 'advice'], sorted.map(r => [r.check, r.judge, r.group, r.level, r.said, r.number, r.advice])));
}

const scoresOf = rows => h('section', null, h('h3', null, 'Pairs that the fits had not seen'),
  rows.length ? table([
    { name: 'judge', of: r => h('bdi', null, r.judge) }, { name: 'group', of: r => h('bdi', null, groupName(r.group)) }, { name: 'model', of: r => r.model },
    { name: 'pairs', of: r => r.n, digits: 0, right: true }, { name: 'accuracy', of: r => r.accuracy ?? NaN, right: true }, { name: 'log loss', of: r => r.log_loss ?? NaN, right: true },
    { name: 'AUC', of: r => r.auc ?? NaN, right: true }, { name: 'Brier', of: r => r.brier ?? NaN, right: true }, { name: 'by', of: r => h('bdi', null, r.property ?? '') }],
  rows, { most: 24, key: r => `${r.judge}|${r.group}|${r.model}` }) : h('p', { class: 'note' }, 'No fit has clusters of pairs enough to hold some out.'));

function calibrationOf(judge, width) {
  const rows = study.trust.calibration[judge];
  if (!rows) return null;
  const chart = calibration(rows, { width, label: `Calibration of ${judge}` });
  return h('section', { id: 'calibration', 'data-judge': judge }, h('h3', null, 'Calibration: ', h('bdi', null, judge)),
    h('p', { class: 'note' }, 'Held-out pairs of all its groups, in ten bins of equal size, with 95% intervals. On the line predictions come true as often as they say.'), chart, saveButtons(chart, 'calibration', ['predicted', 'observed', 'lower', 'upper', 'n'], rows.map(r => [r.predicted, r.observed, r.lower, r.upper, r.n])));
}
