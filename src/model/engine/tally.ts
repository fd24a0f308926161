/** What an engine's models and samplers have done. */
export interface Tally {
  tokensSampled: number;
  tokensTrained: number;
  optimizerSteps: number;
}
