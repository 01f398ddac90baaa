/** How requests sign in, for the API document: the one place for it. */
export const securitySchemes = {
  bearer: {
    type: 'http' as const,
    scheme: 'bearer',
    description: 'An access token of the identity provider, or an API key',
  },
};

/** Without an identity provider, requests without a credential come from the user of this machine. */
export const security = [{}, { bearer: [] }];
