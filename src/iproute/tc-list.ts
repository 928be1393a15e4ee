import type { MessageOf } from "../netlink/nouns.js";
import { tcHandles } from "../netlink/tcmsg.js";
import type { ShowFlags } from "./shown.js";
import { linkWord, type NamedLink, type TcListing } from "./tc-line.js";
import { classid, qdiscHandle } from "./tc-number.js";
import { once, readOptions } from "./tc-options.js";
import { showClasses, showQdiscs } from "./tc-show.js";
import type { Word, Words } from "./words.js";

function ifindexOf(link: NamedLink | undefined) {
  return link === undefined ? {} : { ifindex: { slot: link.slot } };
}

/** `qdisc show [dev NAME] [root | ingress | clsact | parent ID | handle ID] [invisible]`. */
export function parseQdiscListing(words: Words, flags: ShowFlags, text: string): TcListing {
  let link: NamedLink | undefined;
  let handle = 0;
  let parent = 0;
  let dumpInvisible: true | undefined;
  const place = (word: Word) => {
    if (parent !== 0 || handle !== 0) throw words.refuse(word, "is a second place to look at");
  };
  readOptions(words, "qdisc show", {
    dev: () => {
      link = linkWord(words);
    },
    root: (word) => {
      place(word);
      parent = tcHandles.TC_H_ROOT;
    },
    "ingress|clsact": (word) => {
      place(word);
      parent = tcHandles.TC_H_INGRESS;
    },
    "parent*": (word) => {
      place(word);
      parent = classid(words);
    },
    "handle*": (word) => {
      place(word);
      handle = qdiscHandle(words);
    },
    invisible: () => {
      dumpInvisible = true;
    },
  });
  const message: MessageOf<"qdisc"> = {
    noun: "qdisc",
    type: "RTM_GETQDISC",
    flags: ["NLM_F_DUMP"],
    header: ifindexOf(link),
    attributes: { dumpInvisible },
  };
  return {
    does: "show",
    message,
    links: link === undefined ? [] : [link],
    text,
    flags,
    print: (shown, replies, context, index) => showQdiscs(shown, replies, { index, handle, parent }, context),
  };
}

/** `class show dev NAME [qdisc ID] [classid ID] [root | parent ID]`. */
export function parseClassListing(words: Words, flags: ShowFlags, text: string): TcListing {
  let link: NamedLink | undefined;
  let qdisc = 0;
  let id = 0;
  let parent: number | undefined;
  readOptions(words, "class show", {
    dev: (word) => {
      once(words, word, link);
      link = linkWord(words);
    },
    qdisc: (word) => {
      once(words, word, qdisc || undefined);
      qdisc = qdiscHandle(words);
    },
    classid: (word) => {
      once(words, word, id || undefined);
      id = classid(words);
    },
    root: (word) => {
      once(words, word, parent);
      parent = tcHandles.TC_H_ROOT;
    },
    parent: (word) => {
      once(words, word, parent);
      parent = classid(words);
    },
  });
  const message: MessageOf<"class"> = {
    noun: "class",
    type: "RTM_GETTCLASS",
    flags: ["NLM_F_DUMP"],
    header: { ...ifindexOf(link), parent: parent ?? 0 },
    attributes: {},
  };
  return {
    does: "show",
    message,
    links: link === undefined ? [] : [link],
    text,
    flags,
    print: (shown, replies, context, index) => showClasses(shown, replies, { index, qdisc, classid: id }, context),
  };
}
