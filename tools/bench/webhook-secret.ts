/** The secret that webhooks of the benchmark are signed with. */
export const webhookSecret = 'secret-of-the-benchmark';
