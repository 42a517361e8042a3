// A small MCP server beside the provider: it takes access tokens that were issued for it, and nothing else. Whoever comes
// without one is told where its document stands (RFC 9728), which names the authorization servers.

import { createServer } from 'node:http';

export const SCOPE = 'notes:read';

export function mcpServer(settings, find) {
  const server = createServer(async (request, response) => {
    request.resume();
    const origin = `http://127.0.0.1:${server.address().port}`;
    const resource = `${origin}/mcp`;
    const answer = (status, body, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    };
    if (request.url === '/.well-known/oauth-protected-resource/mcp') {
      const document = {
        resource,
        authorization_servers: settings.mcp_issuers,
        scopes_supported: [SCOPE],
        bearer_methods_supported: ['header'],
        resource_name: '@everyone **notes**',
      };
      return answer(200, document, { 'cache-control': 'no-store' });
    }
    if (request.url !== '/mcp') return answer(404, {});
    const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    if (scheme !== 'Bearer' || !token) {
      return answer(401, {}, { 'www-authenticate': `Bearer realm="notes, and more", ${metadata}, scope="${SCOPE}"` });
    }
    const access = await find(token);
    if (!access || access.isExpired || access.aud !== resource) {
      return answer(401, {}, { 'www-authenticate': `Bearer error="invalid_token", ${metadata}` });
    }
    return answer(200, { jsonrpc: '2.0', id: 1, result: { serverInfo: { name: 'notes', version: '1' } } });
  });
  return server;
}
