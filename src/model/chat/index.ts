export { type ChatEndpointOptions, chatEndpoint } from "./chat-endpoint.ts";
export { policyChat } from "./policy-chat.ts";
