/** A passage as a search returns it. */
export const passage = (chunkId: string, text: string, start = 100) => ({
  chunkId,
  documentId: '01a2016d-a24b-75a4-a29e-b8b9392386bd',
  document: 'policies/expenses.md',
  title: 'Expenses',
  headingPath: ['Expenses', 'Deadlines'],
  page: null,
  contentHash: 'h',
  text,
  start,
  end: start + text.length,
  score: 1,
});
