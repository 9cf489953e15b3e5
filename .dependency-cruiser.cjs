// The house, as a check: a video flows video -> clip -> tensor (graph) -> model -> scores, imports point one way, and nothing
// under graph/, models/, clip/, scores/ may need Node. See README, "How it is built".
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/`, pathNot: '[.]test[.]ts$' },
  to: { path: '^src/', pathNot: [`^src/${from}/`, '^src/(errors|rng)[.]ts$', ...allowed.map((folder) => `^src/${folder}/`)] },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'browser-safe',
      comment: 'these folders also run in a browser tab',
      severity: 'error',
      from: {
        path: '^src/(graph|models|clip|scores)/|^src/train/(step|schedule|layerRates|divergence|recipe/(options|autoChoices)|lessons/lessons)[.]ts$|^src/explain/(attentionMaps|blindEffects|explanation|heatColours|heatPlanes|heatRows)[.]ts$|^src/(errors|rng)[.]ts$',
        pathNot: '[.]test[.]ts$',
      },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'base-knows-nothing', severity: 'error', from: { path: '^src/(errors|rng)[.]ts$' }, to: { path: '^src/' } },
    only('graph-layer', 'graph', []),
    only('workers-layer', 'workers', []),
    only('runtime-layer', 'runtime', ['graph', 'workers']),
    only('models-layer', 'models', ['graph']),
    only('video-layer', 'video', ['workers']),
    only('clip-layer', 'clip', ['video']),
    only('dataset-layer', 'dataset', ['video', 'clip', 'workers']),
    only('weights-layer', 'weights', ['models', 'graph', 'clip']),
    only('export-layer', 'export', ['graph', 'runtime', 'models', 'clip', 'weights']),
    only('quantise-layer', 'quantise', [
      ...['graph', 'runtime', 'models', 'video', 'clip', 'dataset', 'weights', 'scores', 'recognise', 'export'],
    ]),
    only('scores-layer', 'scores', []),
    only('synth-layer', 'synth', ['video', 'workers']),
    only('recognise-layer', 'recognise', [
      'graph',
      'runtime',
      'models',
      'video',
      'clip',
      'dataset',
      'weights',
      'scores',
      'workers',
    ]),
    only('recognise-layer', 'recognise', ['graph', 'runtime', 'models', 'video', 'clip', 'dataset', 'weights', 'scores']),
    only('stream-layer', 'stream', ['graph', 'runtime', 'models', 'video', 'clip', 'weights', 'scores', 'recognise']),
    only('measure-layer', 'measure', ['graph', 'runtime', 'models', 'workers']),
    only('train-layer', 'train', ['graph', 'runtime', 'models', 'video', 'clip', 'dataset', 'weights', 'scores', 'recognise']),
    only('report-layer', 'report', ['models', 'video', 'clip', 'dataset', 'weights', 'scores', 'recognise', 'train']),
    only('explain-layer', 'explain', [
      ...['graph', 'runtime', 'models', 'video', 'clip', 'dataset', 'weights', 'scores', 'recognise'],
    ]),
    { name: 'nobody-imports-the-command-line', severity: 'error', from: { pathNot: '^src/cli/' }, to: { path: '^src/cli/' } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
