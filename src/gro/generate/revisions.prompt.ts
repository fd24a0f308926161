/** What a chat model is asked after its own answer. */
export const critiqueWords =
  "Check the answer above, step by step. Say what is wrong with it and how it can be mended, or that it is right. Do not answer again.";

export const reviseWords =
  "There may be a mistake in the answer above. Think again, mend it if there is one, and give the whole answer anew.";

export const reviseByCritiqueWords = "Answer the question anew, and mend what you found wrong.";
