import { z } from 'zod';

const id = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
const data = z.object({ account: id, user: id, user_upload: id });

export const webhookSchema = z.object({ event: z.string(), name: z.string(), data });
