/** What a plan needs to know besides the request and the view. Everything random is drawn by the caller: planning is pure. */
export interface PlanContext {
  /** As the person named it. */
  readonly guest: string;
  /** Identity, such as docker:<64 hex digits>. */
  readonly guestId: string;
  /** Main process of the guest, where there is one: part of the host end's name. */
  readonly pid?: number;
  /** Whether `guestId` outlives a restart, so that a MAC derived from it is worth keeping. */
  readonly lasting: boolean;
  /** Inode of the guest's namespace. */
  readonly netns: number;
  /** A file whose inode is that of the namespace as long as the guest lives, such as /proc/<pid>/ns/net. */
  readonly alive?: string;
  /** Link group of this run: a link born in it and still in it is half built and ours. */
  readonly mark: number;
  /** SEED_DIGITS random hex digits of this run, for MACs. */
  readonly seed: string;
  /** Where records of this host namespace live, such as /run/pipework/4026531840. */
  readonly recordDir: string;
}

/** Link groups with these upper 16 bits are ours: "pw". The lower 16 are drawn at random for each run. */
export const MARK_PREFIX = 0x7077_0000;

export function isMark(group: number): boolean {
  return (group & 0xffff_0000) >>> 0 === MARK_PREFIX;
}

/** Link group of a link in its guest while it announces itself, "annc": by it the notify flags of a killed run are found. */
export const ANNOUNCING = 0x616e_6e63;

/** Slots: values unknown until the plan runs. */
export const slots = {
  /** Descriptor of the guest's namespace. */
  guestNetns: "guestNetns",
  /** Descriptor of the host's namespace. */
  hostNetns: "hostNetns",
  /** A NIC on the host, back from a guest. */
  nic: "nic",
  /** The same when a failed plan has brought it home again. */
  nicBack: "nicBack",
  bridge: "bridge",
  hostEnd: "hostEnd",
  guestLink: "guestLink",
  /** The link of a VLAN on the host. */
  vlanLink: "vlanLink",
  /** The link that finds out whether anything uses it. */
  probe: "probe",
} as const;
