/** Follows an item, for models that read messages: training data that would help with it are asked for. */
export const editWords =
  "Do not answer this. Write training examples instead from which you would learn to answer it and others like it: after each question its right answer.";
