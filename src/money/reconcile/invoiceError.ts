/** A file that cannot be read as an invoice; the message says what is wrong and what would be understood. */
export class InvoiceError extends Error {}
