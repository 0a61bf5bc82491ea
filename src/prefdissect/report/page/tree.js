// The tree of judges, to the left of their matrix, with the share of draws that have each branch.

const FEW_LEAVES = 12; // of more judges only branches that most draws have are labelled

// `place` maps leaf to its row. Draws from the root at the left to the leaves at the right.
function treeBeside(branches, place, n, width, support) {
  const heights = branches.map(b => b.height), highest = Math.max(...heights), lowest = Math.min(...heights);
  const x = scale(lowest - (highest - lowest) * 0.25 || 0, highest, width - 6, 12), few = n <= FEW_LEAVES;
  return {
    width,
    draw(high) {
      const y = [], at = [];
      place.forEach((row, leaf) => { y[leaf] = high * (row + 0.5); at[leaf] = width - 6; });
      return branches.map((b, i) => {
        const me = n + i, [ya, yb] = [y[b.left], y[b.right]];
        y[me] = (ya + yb) / 2; at[me] = x(b.height);
        const sure = support[i];
        return s('g', { class: 'branch', 'data-height': b.height, 'data-support': known(sure) ? sure : null, 'data-leaves': [...b.leaves].sort((p, q) => p - q).join(' ') },
          s('title', null, `joined at ${fixed(b.height)}${known(sure) ? `, in ${Math.round(100 * sure)}% of draws` : ''}`),
          s('path', { d: `M${at[b.left]} ${ya}H${at[me]}V${yb}H${at[b.right]}` }),
          known(sure) && i < branches.length - 1 && (few || sure >= 0.5) && s('text', { class: 'small', x: at[me] - 2, y: y[me] + 3, 'text-anchor': 'end' }, `${Math.round(100 * sure)}`));
      });
    },
  };
}

// Leaves in the order of the tree, the nearer of two branches beside what came before.
const leafOrder = (branches, n) => (branches.length ? branches[branches.length - 1].leaves : Array.from({ length: n }, (_, i) => i));

// Share of the drawn trees that have each branch, of just these leaves.
function supportOf(branches, drawn) {
  const key = leaves => [...leaves].sort((a, b) => a - b).join(' '), counted = new Map(branches.map(b => [key(b.leaves), 0]));
  drawn.forEach(distance => averageLinkage(distance).forEach(b => {
    const k = key(b.leaves);
    if (counted.has(k)) counted.set(k, counted.get(k) + 1);
  }));
  return branches.map(b => counted.get(key(b.leaves)) / drawn.length);
}
