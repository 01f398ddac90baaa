/** Name, text of a document, and a query that must find it, in several scripts and forms of words. */
export const languageCases: [name: string, text: string, query: string][] = [
  ['Chinese', '员工每年享有二十天带薪年假。', '年假'],
  ['one Chinese character', '差旅费用须在三十天内报销。', '差'],
  ['Thai', 'พนักงานลาพักร้อนได้ยี่สิบวัน', 'ลาพักร้อน'],
  ['Greek', 'Η άδεια είναι είκοσι ημέρες.', 'ΆΔΕΙΑ'],
  ['Hindi', 'कर्मचारी को बीस दिन की छुट्टी मिलती है।', 'छुट्टी'],
  ['a word without its accents', 'Der Überstundenausgleich erfolgt jährlich.', 'uberstundenausgleich'],
  ['another form of the word', 'Receipts are reimbursed monthly.', 'reimbursing receipt'],
  ['a number without its separator', 'Purchases above 12,500 euros need two signatures.', '12500'],
];
