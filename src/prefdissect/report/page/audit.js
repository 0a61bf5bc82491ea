// How far judges, and a benchmark built on them, can be gamed.

const points = (value, digits = 1) => fixed(100 * value, digits);
const share = (row, name) => (known(row[name] ?? NaN) ? `${points(row[name])} ${within(100 * row[`${name}_lower`], 100 * row[`${name}_upper`], 1)}` : '–');
const wayOf = (direction, label) => `${direction} ${label}`;

const auditSection = {
  title: 'Gaming',
  controls: () => [
    choice('Judge', 'ajudge', study.judges, study.judges[0]),
    choice('Group', 'agroup', groupOptions(study.audit.groups), startGroup())],
  build: width => {
    const judge = state.get('ajudge', study.judges[0], study.judges), group = state.get('agroup', startGroup(), study.audit.groups);
    return [stepsOf(judge, group, width), togetherOf(judge, group), leaderboardOf(judge, width), subsetsOf(judge), rulesOf(judge, group),
      study.audit.notes.length > 0 && h('section', null, h('h3', null, 'Notes'), study.audit.notes.map(note => h('p', null, h('bdi', null, note)))),
      h('p', { class: 'note' }, 'Properties go along with what a judge prefers; a model that is taught one of them changes others too. So these are expectations, not promises.')];
  },
};

const startGroup = () => (study.audit.groups.includes(OVERALL) ? OVERALL : study.audit.groups[0]);

// Gains by one step, the largest first.
function stepsOf(judge, group, width) {
  const a = study.audit, j = judgeAt(judge), g = a.groups.indexOf(group), at = (name, k) => a[name].at(j, g, k) / 1e4;
  const order = study.ids.map((_, k) => k).filter(k => known(a.change.at(j, g, k))).sort((k, l) => a.rank.at(j, g, k) - a.rank.at(j, g, l));
  const head = h('h3', null, 'One step more or less of each property');
  if (!order.length) return h('section', null, head, h('p', { class: 'warning' }, 'No fit here: too few pairs.'));
  const rows = order.map(k => {
    const sign = at('change', k) < 0 ? -1 : 1, ends = [sign * at('lower', k), sign * at('upper', k)].sort((x, y) => x - y), prop = study.properties[k];
    const name = wayOf(sign > 0 ? 'more' : 'less', prop.label), ranks = `rank ${fixed(a.rank.at(j, g, k), 0)} ${within(a.rank_lower.at(j, g, k), a.rank_upper.at(j, g, k), 0)}`;
    const one = { value: 100 * sign * at('change', k), lower: 100 * ends[0], upper: 100 * ends[1] };
    return { name, title: `${prop.label}: ${prop.description}`, key: prop.id, ranks,
      points: [{ ...one, text: `${name}: ${fixed(one.value, 1)} points ${within(one.lower, one.upper, 1)}, ${ranks}` }] };
  });
  const chart = dots(rows, { width, baseline: 0, title: 'points of win rate gained', intervals: true, format: v => fixed(v, 1), label: `Gain by one step of each property, ${judge}, ${groupName(group)}` });
  return h('section', { id: 'steps' }, head,
    h('p', { class: 'note' }, `What a model that wins half of its pairs would gain if its responses had one step more, or less, of a property than they have, on every pair and as far as the scale goes; ${study.percent} intervals. Guard against the first.`),
    chart, saveButtons(chart, 'gaming', ['property', 'points', 'lower', 'upper'], rows.map(r => [r.name, r.points[0].value, r.points[0].lower, r.points[0].upper])));
}

function togetherOf(judge, group) {
  const rows = study.audit.together.filter(r => r.judge === judge && r.group === group);
  return rows.length > 0 && h('section', { id: 'together' }, h('h3', null, 'Several together'), table([
    { name: 'properties', of: r => r.m, digits: 0, right: true }, { name: 'the last of them', of: r => h('bdi', null, wayOf(r.direction, r.label)) },
    { name: 'pairs won, %', of: r => 100 * r.win_rate, digits: 1, right: true }, { name: 'interval', of: r => within(100 * r.lower, 100 * r.upper, 1) },
    { name: 'no choice reaches more than', of: r => 100 * r.bound, digits: 1, right: true }], rows, { key: r => r.m }));
}

function leaderboardOf(judge, width) {
  const a = study.audit, rows = a.leaderboard.filter(r => r.judge === judge);
  if (!rows.length) return null;
  const equal = rows.some(r => r.equal !== null), held = a.held.join(', ');
  const point = (r, name, series) => ({ value: 100 * (r[name] ?? NaN), lower: 100 * r[`${name}_lower`], upper: 100 * r[`${name}_upper`], series,
    data: { 'data-kind': name }, text: `${r.model}, ${series ? `${held} equal` : 'as judged'}: ${share(r, name)}` });
  const chart = dots(rows.map(r => ({ name: r.model + (r.is_baseline ? ' (baseline)' : ''), key: r.model, points: [point(r, 'raw', 0), ...(equal ? [point(r, 'equal', 1)] : [])] })),
    { width, baseline: 50, title: 'pairs won, %', intervals: true, format: v => fixed(v, 1), label: `Win rates of models, ${judge}` });
  return h('section', { id: 'leaderboard' }, h('h3', null, 'Models'),
    h('p', { class: 'note' }, equal ? h('bdi', null, `As judged, and with ${held} held equal against the same opponents.`) : 'As judged.'),
    equal && legend(['as judged', `${held} held equal`]), chart, table([
      { name: 'model', of: r => h('bdi', null, r.model) }, { name: 'pairs', of: r => r.n, digits: 0, right: true }, { name: 'as judged, %', of: r => share(r, 'raw') },
      ...(equal ? [{ name: 'held equal, %', of: r => share(r, 'equal') }, { name: 'moved', of: r => share(r, 'moved') }, { name: 'rank', of: r => `${fixed(r.rank, 0)} ${within(r.rank_lower, r.rank_upper, 0)}` }] : [])],
    rows, { most: 30, key: r => r.model }),
    saveButtons(chart, 'leaderboard', ['model', 'n', 'raw', 'raw_lower', 'raw_upper', 'equal', 'equal_lower', 'equal_upper', 'rank'], rows.map(r => [r.model, r.n, r.raw, r.raw_lower, r.raw_upper, r.equal, r.equal_lower, r.equal_upper, r.rank])));
}

function subsetsOf(judge) {
  const rows = study.audit.subsets.filter(r => r.judge === judge), some = rows.some(r => r.blind !== null);
  return h('section', { id: 'subsets' }, h('h3', null, 'What wins pairs that had no part in choosing it'),
    h('p', { class: 'note' }, `Percent of decided pairs, each held out in one of ${study.audit.folds} folds of prompts; a coin wins 50.`), table([
      { name: 'subset', of: r => h('bdi', null, groupName(r.group)) }, { name: 'pairs', of: r => r.n, digits: 0, right: true },
      { name: 'best rule', of: r => h('bdi', null, r.rule ?? '') }, { name: 'rule', of: r => share(r, 'best_rule') },
      ...(some ? [{ name: 'without the prompt', of: r => share(r, 'blind') }] : []), { name: 'all properties', of: r => share(r, 'fit') }, { name: 'always one side', of: r => share(r, 'one_side') },
      ...(some ? [{ name: 'won without reading', of: r => (r.without_reading ? `yes, by at least ${points(r.margin)} points` : r.blind === null ? '–' : 'not that can be seen') }] : [])],
    rows, { most: 30, key: r => r.group }));
}

function rulesOf(judge, group) {
  const all = study.audit.rules.filter(r => r.judge === judge), names = [...new Set(all.map(r => r.group))];
  const where = names.includes(group) ? group : names[names.length - 1], rows = all.filter(r => r.group === where);
  return rows.length > 0 && h('section', { id: 'rules' }, h('h3', null, 'Rules that look at one property: ', h('bdi', null, groupName(where))), table([
    { name: 'prefer', of: r => h('bdi', null, wayOf(r.direction, r.label)) }, { name: 'pairs won, %', of: r => 100 * r.share, digits: 1, right: true },
    { name: 'interval', of: r => within(100 * r.lower, 100 * r.upper, 1) }, { name: 'pairs', of: r => r.n, digits: 0, right: true },
    { name: 'equal, which count half', of: r => r.n_equal, digits: 0, right: true }], rows, { key: r => r.property }));
}
