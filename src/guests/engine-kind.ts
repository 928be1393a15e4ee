/** The engines that speak the Docker API, and what a person says to each. */
export interface EngineKind {
  /** Prefix of references and of identities, and the command's name. */
  readonly name: "docker" | "podman";
  readonly title: string;
  /** Names the engine's address. */
  readonly variable: string;
  readonly address: string;
  /** What makes it answer. */
  readonly start: string;
  readonly log: string;
}

export const DOCKER: EngineKind = {
  name: "docker",
  title: "Docker",
  variable: "DOCKER_HOST",
  address: "unix:///var/run/docker.sock",
  start: "systemctl start docker",
  log: "journalctl -u docker",
};

export const PODMAN: EngineKind = {
  name: "podman",
  title: "Podman",
  variable: "CONTAINER_HOST",
  address: "unix:///run/podman/podman.sock",
  // Podman needs no service for its own command: the socket is often not there although containers run.
  start: "systemctl enable --now podman.socket",
  log: "journalctl -u podman",
};
