// The view is in the address, behind #, so that a link restores it. Values nobody knows are told and ignored.

const state = {
  read: () => new URLSearchParams(location.hash.slice(1)),
  get(key, fallback, valid) {
    const value = this.read().get(key);
    if (value === null || (valid && !valid.includes(value))) return fallback;
    return value;
  },
  all(key, fallback, valid) {
    const read = this.read();
    if (!read.has(key)) return fallback;
    return read.getAll(key).filter(value => valid.includes(value));
  },
  set(changes, { push = false } = {}) {
    const read = this.read();
    for (const [key, value] of Object.entries(changes)) {
      read.delete(key);
      if (Array.isArray(value)) (value.length ? value : ['']).forEach(one => read.append(key, one));
      else if (value !== null && value !== '') read.set(key, value);
    }
    history[push ? 'pushState' : 'replaceState'](null, '', `#${read}`);
    this.changed();
  },
  changed() {},
};
