"""Captured motion: joint tracks of one or two people as windows of frames, with what is to be learnt about them."""
import json
from typing import NamedTuple

import numpy as np

FPS = 30
SHORTEST = 12                      # frames; what is shorter is left out
INTERVALS = 0.1, 0.4               # seconds of motion between two frames of a clip
REFERENCE_INTERVAL = 0.2           # speed is told as log2 of the interval over this
HELD_OUT_CMU = {'01', '02', '08', '11', '14'}


class Windows(NamedTuple):
    """n windows. A frame lies `part` of the way from track row `low` to `low + 1`."""
    low: np.ndarray                # [T, n, 2] row of either person, the second's meaningless where `people` is 1
    part: np.ndarray               # [T, n, 1]
    people: np.ndarray             # [n] 1 alone, 2 a pair, 3 alone with a passer-by in the second place
    label: np.ndarray              # [n] class, -1 unknown, or backwards: sitting down becomes standing up
    reversed: np.ndarray           # [n] 0 or 1
    speed: np.ndarray              # [n] log2(seconds between frames / REFERENCE_INTERVAL)
    acts: np.ndarray               # [n] 1 the first acts on the second, 0 the other way round, -1 neither or unknown


def held_out(subjects):
    """Of a source's subjects those kept for measuring: every fifth where there are four or more."""
    return set(sorted(subjects)[1::5]) if len(subjects) >= 4 else set()


def read_folder(folder, without):
    """joints.i16 and index.json -> rows [frames, 22, 3] in metres, parents, trials with a source each."""
    index = json.loads((folder / 'index.json').read_text())
    rows = np.fromfile(folder / 'joints.i16', '<i2').reshape(-1, len(index['joints']), 3).astype(np.float32) / 1000
    trials = [dict(trial, source=trial.get('source', 'cmu')) for trial in index['trials'] if not trial.get('broken')]
    return rows, index['parents'], [trial for trial in trials if trial['source'] not in without]


def sound_stretches(frames, glitches):
    """What lies between glitches: pairs of first frame and number of frames."""
    at, out = 0, []
    for start, end in [*sorted(glitches), (frames, frames)]:
        if start - at >= SHORTEST:
            out.append((at, start - at))
        at = max(at, end)
    return out


class Motion:
    """Every sound stretch of the folders, for training or, `measuring`, of the subjects held out from it."""

    def __init__(self, folders, without=(), measuring=False, generator=None):
        self.rng, at, rows, stretches, names = generator or np.random.default_rng(), 0, [], [], set()
        for folder in folders:
            track, self.parents, trials = read_folder(folder, set(without))
            subjects = lambda source: {t['subject'] for t in trials if t['source'] == source}
            kept = {source: held_out(subjects(source)) for source in {t['source'] for t in trials}} | {'cmu': HELD_OUT_CMU}
            names.update(t['label'] for t in trials if t['label'])
            partner = {(t['pair'], t['role']): t for t in trials if t.get('pair') is not None}
            for t in trials:
                if t.get('role') == 'B':                                   # comes with A
                    continue
                other = partner.get((t.get('pair'), 'B'))
                everyone = [t, other] if other else [t]
                if any(e['subject'] in kept[t['source']] for e in everyone) != measuring:
                    continue
                frames = min(e['frames'] for e in everyone)
                for start, length in sound_stretches(frames, [g for e in everyone for g in e['glitches']]):
                    rows_of = [at + e['firstFrame'] + start for e in everyone]
                    acts = int(t['acts']) if other and t['acts'] is not None else -1
                    stretches.append((t['label'], rows_of[0], rows_of[-1], length, len(everyone), acts, t['source']))
            rows.append(track)
            at += len(track)
        self.rows, self.classes = np.concatenate(rows), sorted(names)
        labels = [self.classes.index(s[0]) if s[0] else -1 for s in stretches]
        self.first, self.second, self.length, self.people, self.acts = (np.array([s[k] for s in stretches]) for k in range(1, 6))
        self.label, self.sources = np.array(labels), [s[6] for s in stretches]
        self.share = self.shares(even=measuring)

    def shares(self, even):
        """How often each stretch is drawn: a class by the root of its seconds (evenly when measuring), within it by length."""
        weight, share = np.minimum(self.length, 10 * FPS).astype(float), np.zeros(len(self.length))
        for label in range(-1, len(self.classes)):
            mine = self.label == label
            total = weight[mine].sum()
            if total == 0 or (even and label < 0):
                continue
            often = 1 if even else min(total / FPS, 120) ** 0.5 * (1.5 if self.people[mine][0] == 2 else 1)
            share[mine] = often * weight[mine] / total
        return share / share.sum()

    def draw(self, n, frames, passers=0.2, backwards=0.2):
        rng = self.rng
        k = rng.choice(len(self.share), n, p=self.share)
        longest = (self.length[k] - 2) / FPS / (frames - 1)                # seconds between frames that still fit
        wished = np.exp(rng.uniform(*np.log(INTERVALS), n))
        interval = np.minimum(wished, longest)
        start = rng.uniform(0, 1, n) * (self.length[k] - 2 - interval * FPS * (frames - 1))
        steps = np.arange(frames)[:, None] + rng.uniform(-0.1, 0.1, (frames, n)) * (rng.random(n) < 0.5)
        at = np.clip(start + steps * interval * FPS, 0, self.length[k] - 2 + 0.99)      # [T, n]
        back = rng.random(n) < backwards
        at[:, back] = at[::-1, back]
        passer = rng.choice(len(self.share), n, p=self.share)              # walks past at another pace, anything he does
        span = np.minimum(interval, (self.length[passer] - 2) / FPS / (frames - 1))
        begin = rng.uniform(0, 1, n) * (self.length[passer] - 2 - span * FPS * (frames - 1))
        other = np.clip(begin + np.arange(frames)[:, None] * span * FPS, 0, self.length[passer] - 2)      # rounding may undershoot
        pair = self.people[k] == 2
        low = np.floor(at).astype(np.int64)
        second = np.where(pair, self.second[k] + low, self.first[passer] + np.floor(other).astype(np.int64))
        people = np.where(pair, 2, np.where(rng.random(n) < passers, 3, 1))
        label, speed = np.where(back, -1, self.label[k]), np.log2(interval / REFERENCE_INTERVAL)
        return Windows(np.stack([self.first[k] + low, second], -1), (at - low)[..., None].astype(np.float32), people, label,
                       back.astype(np.float32), speed.astype(np.float32), self.acts[k])
