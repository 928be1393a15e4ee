/*
 * The floor of the benchmark: the least netlink that gives a guest namespace a working interface on a host bridge,
 * and that takes it away again. Everything here is the kernel's own time plus a few microseconds; what the library
 * adds is measured against it.
 *
 * Build: cc -O2 -Wall -Wextra -pthread -o attach-floor attach-floor.c
 *
 *   attach-floor serve
 *       One request a line on stdin, one JSON line on stdout for each, so that a runner can alternate this program
 *       with another one, round by round:
 *         attach NETNS-PATH BRIDGE HOSTIF IFNAME MAC MTU ADDRESS/LEN GATEWAY ALIAS [announce]
 *             {"op":"attach","us":T,"openUs":T,"createUs":T,"guestUs":T,"hostUs":T}
 *         detach HOSTIF
 *             {"op":"detach","noticeUs":T,"ackUs":T}
 *       All times are microseconds of CLOCK_MONOTONIC. A refusal is {"op":...,"error":"...","errno":N}; serving goes on.
 *       Works in the network namespace it was started in and leaves there what it was told to make.
 *
 *   attach-floor [--warm N] [--ipv6] attach N [NETNS-PATH]
 *   attach-floor [--warm N] [--ipv6] detach N [NETNS-PATH]
 *       N rounds on a bridge of its own in a network namespace of its own (all of it goes with the process), one JSON
 *       line a round: the guest is the namespace at the path, or a fresh one for each round. The first --warm rounds
 *       (default 10) are not printed. Fresh guests have IPv6 off, as Docker's have, unless --ipv6 is given.
 *
 * The order. What counts is that both ends are made by one message and that the guest end is never moved: the move
 * costs RCU grace periods, some 20 ms, with the RTNL lock held. Six ways to order and group the rest were interleaved
 * (300 rounds each, Linux 6.18, IPv6 off and on): host end up at birth, host end up before the guest end, guest end up
 * before its address, one send or three in the guest, the guest's ifindex by NLM_F_ECHO instead of a question. All
 * medians lay within 2 %, so this one is as cheap as any, and the simplest that works on every kernel since 4.x:
 *   1. one RTM_NEWLINK in the host namespace: the guest end is born in the guest under its final name, MAC and MTU; the
 *      host end is enslaved by the same message. One queue per end: the kernel uses no more by default, and each costs.
 *   2. in the guest, one send with address, "up" and default route. The address goes before "up", which then makes the
 *      connected route that the gateway needs. Only the last message asks for an ack: refusals are reported regardless.
 *   3. one RTM_SETLINK brings the host end up and sets its alias (which the kernel ignores at creation): the carrier
 *      comes with the very last message, when everything behind it is ready.
 *   4. with "announce", one send more in the guest: arp_notify on, the same MAC again, arp_notify off. The kernel itself
 *      sends a gratuitous ARP, as it does for the library.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("attach-floor: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

/* ---- messages ------------------------------------------------------------------------------------------------ */

struct buffer {
  size_t used;
  _Alignas(8) uint8_t bytes[4096];
};

static void *reserve(struct buffer *b, size_t length) {
  size_t aligned = NLMSG_ALIGN(length);
  if (b->used + aligned > sizeof b->bytes) die("a request is longer than %zu bytes", sizeof b->bytes);
  void *at = b->bytes + b->used;
  memset(at, 0, aligned);
  b->used += aligned;
  return at;
}

static struct nlmsghdr *begin_message(struct buffer *b, uint16_t type, uint16_t flags, uint32_t sequence) {
  struct nlmsghdr *h = reserve(b, NLMSG_HDRLEN);
  h->nlmsg_type = type;
  h->nlmsg_flags = NLM_F_REQUEST | flags;
  h->nlmsg_seq = sequence;
  return h;
}

static void end_message(struct buffer *b, struct nlmsghdr *h) {
  h->nlmsg_len = (uint32_t)(b->bytes + b->used - (uint8_t *)h);
}

static void put(struct buffer *b, uint16_t type, const void *data, size_t length) {
  struct rtattr *a = reserve(b, RTA_LENGTH(length));
  a->rta_type = type;
  a->rta_len = RTA_LENGTH(length);
  if (length > 0) memcpy(RTA_DATA(a), data, length);
}

static void put_u32(struct buffer *b, uint16_t type, uint32_t value) { put(b, type, &value, sizeof value); }
static void put_text(struct buffer *b, uint16_t type, const char *text) { put(b, type, text, strlen(text) + 1); }

static struct rtattr *begin_nest(struct buffer *b, uint16_t type) {
  struct rtattr *a = reserve(b, RTA_LENGTH(0));
  a->rta_type = type | NLA_F_NESTED;
  return a;
}

static void end_nest(struct buffer *b, struct rtattr *a) {
  a->rta_len = (uint16_t)(b->bytes + b->used - (uint8_t *)a);
}

/* ---- sockets ------------------------------------------------------------------------------------------------- */

static int open_route_socket(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  int one = 1;
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
  return fd;
}

/* Sends the buffer and reads until the ack of `last` or the first refusal. 0 or a negative errno. When `ifindex` is
   given, the index of the last RTM_NEWLINK that arrives is stored there. */
static int talk(int fd, const struct buffer *b, uint32_t last, int *ifindex) {
  if (send(fd, b->bytes, b->used, 0) < 0) return -errno;
  for (;;) {
    _Alignas(8) uint8_t in[16384];
    ssize_t got = recv(fd, in, sizeof in, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    size_t left = (size_t)got;
    for (struct nlmsghdr *h = (struct nlmsghdr *)in; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type == RTM_NEWLINK && ifindex) {
        *ifindex = ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
        if (h->nlmsg_seq == last) return 0;
      } else if (h->nlmsg_type == NLMSG_ERROR) {
        int error = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
        if (error < 0 || h->nlmsg_seq == last) return error;
      }
    }
  }
}

/* ---- the job ------------------------------------------------------------------------------------------------- */

struct attachment {
  const char *netns, *bridge, *hostif, *ifname, *alias;
  uint8_t mac[6];
  uint32_t mtu;
  struct in_addr address, gateway;
  int prefixlen, announce;
};

struct timing {
  double total, open, create, guest, host;
};

struct refusal {
  const char *where;
  int number;
};

static int home_fd = -1, host_fd = -1, notice_fd = -1;
static uint32_t sequence;
static char last_bridge[IFNAMSIZ];
static int last_bridge_index;

/* The bridge's ifindex is asked for once a bridge, not once an attach: it does not change between rounds. */
static int bridge_index(const char *name) {
  if (last_bridge_index > 0 && strcmp(name, last_bridge) == 0) return last_bridge_index;
  struct buffer b = {0};
  struct nlmsghdr *h = begin_message(&b, RTM_GETLINK, 0, ++sequence);
  reserve(&b, sizeof(struct ifinfomsg));
  put_text(&b, IFLA_IFNAME, name);
  end_message(&b, h);
  int index = 0, error = talk(host_fd, &b, sequence, &index);
  if (error < 0) return error;
  snprintf(last_bridge, sizeof last_bridge, "%s", name);
  return last_bridge_index = index;
}

/* IFLA_AF_SPEC.AF_INET.IFLA_INET_CONF: settings by their number. */
static void put_arp_notify(struct buffer *b, int ifindex, uint32_t value, uint16_t flags) {
  struct nlmsghdr *h = begin_message(b, RTM_SETLINK, flags, ++sequence);
  struct ifinfomsg *link = reserve(b, sizeof *link);
  link->ifi_index = ifindex;
  struct rtattr *spec = begin_nest(b, IFLA_AF_SPEC);
  struct rtattr *inet = begin_nest(b, AF_INET);
  struct rtattr *conf = begin_nest(b, IFLA_INET_CONF);
  put_u32(b, IPV4_DEVCONF_ARP_NOTIFY, value);
  end_nest(b, conf);
  end_nest(b, inet);
  end_nest(b, spec);
  end_message(b, h);
}

static int announce(int guest_fd, int ifindex, const uint8_t mac[6]) {
  struct buffer b = {0};
  put_arp_notify(&b, ifindex, 1, 0);
  struct nlmsghdr *h = begin_message(&b, RTM_SETLINK, 0, ++sequence);
  struct ifinfomsg *link = reserve(&b, sizeof *link);
  link->ifi_index = ifindex;
  put(&b, IFLA_ADDRESS, mac, 6);
  end_message(&b, h);
  put_arp_notify(&b, ifindex, 0, NLM_F_ACK);
  return talk(guest_fd, &b, sequence, NULL);
}

static int attach(const struct attachment *a, struct timing *t, struct refusal *r) {
  int bridge = bridge_index(a->bridge), error = 0, guest_fd = -1;
  if (bridge < 0) return *r = (struct refusal){"look for the bridge", -bridge}, -1;

  double start = now_us();
  int ns_fd = open(a->netns, O_RDONLY | O_CLOEXEC);
  if (ns_fd < 0) return *r = (struct refusal){"open the guest's namespace", errno}, -1;
  if (setns(ns_fd, CLONE_NEWNET) < 0) {
    *r = (struct refusal){"enter the guest's namespace", errno};
    close(ns_fd);
    return -1;
  }
  guest_fd = open_route_socket();
  if (setns(home_fd, CLONE_NEWNET) < 0) die("cannot return to the home namespace: %s", strerror(errno));
  if (guest_fd < 0) {
    *r = (struct refusal){"open a socket in the guest", -guest_fd};
    close(ns_fd);
    return -1;
  }
  double opened = now_us();

  struct buffer b = {0};
  struct nlmsghdr *h = begin_message(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, ++sequence);
  reserve(&b, sizeof(struct ifinfomsg));
  put_text(&b, IFLA_IFNAME, a->hostif);
  put_u32(&b, IFLA_MTU, a->mtu);
  put_u32(&b, IFLA_MASTER, (uint32_t)bridge);
  put_u32(&b, IFLA_NUM_TX_QUEUES, 1);
  put_u32(&b, IFLA_NUM_RX_QUEUES, 1);
  struct rtattr *info = begin_nest(&b, IFLA_LINKINFO);
  put_text(&b, IFLA_INFO_KIND, "veth");
  struct rtattr *data = begin_nest(&b, IFLA_INFO_DATA);
  struct rtattr *peer = begin_nest(&b, VETH_INFO_PEER);
  reserve(&b, sizeof(struct ifinfomsg));
  put_text(&b, IFLA_IFNAME, a->ifname);
  put(&b, IFLA_ADDRESS, a->mac, sizeof a->mac);
  put_u32(&b, IFLA_MTU, a->mtu);
  put_u32(&b, IFLA_NET_NS_FD, (uint32_t)ns_fd);
  put_u32(&b, IFLA_NUM_TX_QUEUES, 1);
  put_u32(&b, IFLA_NUM_RX_QUEUES, 1);
  end_nest(&b, peer);
  end_nest(&b, data);
  end_nest(&b, info);
  end_message(&b, h);
  error = talk(host_fd, &b, sequence, NULL);
  if (error < 0) {
    *r = (struct refusal){"create the veth pair", -error};
    goto out;
  }
  double created = now_us();

  /* Statistics are left out of the answer: they are two thirds of its cost. */
  int ifindex = 0;
  b.used = 0;
  h = begin_message(&b, RTM_GETLINK, 0, ++sequence);
  reserve(&b, sizeof(struct ifinfomsg));
  put_text(&b, IFLA_IFNAME, a->ifname);
  put_u32(&b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  end_message(&b, h);
  error = talk(guest_fd, &b, sequence, &ifindex);
  if (error < 0) {
    *r = (struct refusal){"find the guest end", -error};
    goto out;
  }

  b.used = 0;
  h = begin_message(&b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ++sequence);
  struct ifaddrmsg *address = reserve(&b, sizeof *address);
  address->ifa_family = AF_INET;
  address->ifa_prefixlen = (uint8_t)a->prefixlen;
  address->ifa_index = (uint32_t)ifindex;
  put(&b, IFA_LOCAL, &a->address, sizeof a->address);
  put(&b, IFA_ADDRESS, &a->address, sizeof a->address);
  if (a->prefixlen < 31) {
    uint32_t broadcast = a->address.s_addr | htonl(a->prefixlen == 0 ? 0xffffffffu : 0xffffffffu >> a->prefixlen);
    put_u32(&b, IFA_BROADCAST, broadcast);
  }
  end_message(&b, h);
  h = begin_message(&b, RTM_SETLINK, 0, ++sequence);
  struct ifinfomsg *link = reserve(&b, sizeof *link);
  link->ifi_index = ifindex;
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  end_message(&b, h);
  h = begin_message(&b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, ++sequence);
  struct rtmsg *route = reserve(&b, sizeof *route);
  route->rtm_family = AF_INET;
  route->rtm_table = RT_TABLE_MAIN;
  route->rtm_protocol = RTPROT_BOOT;
  route->rtm_scope = RT_SCOPE_UNIVERSE;
  route->rtm_type = RTN_UNICAST;
  put(&b, RTA_GATEWAY, &a->gateway, sizeof a->gateway);
  put_u32(&b, RTA_OIF, (uint32_t)ifindex);
  end_message(&b, h);
  error = talk(guest_fd, &b, sequence, NULL);
  if (error < 0) {
    *r = (struct refusal){"set up the guest end", -error};
    goto out;
  }
  double configured = now_us();

  /* By name: the host end's ifindex is not needed for anything else. */
  b.used = 0;
  h = begin_message(&b, RTM_SETLINK, NLM_F_ACK, ++sequence);
  link = reserve(&b, sizeof *link);
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  put_text(&b, IFLA_IFNAME, a->hostif);
  put(&b, IFLA_IFALIAS, a->alias, strlen(a->alias));
  end_message(&b, h);
  error = talk(host_fd, &b, sequence, NULL);
  if (error < 0) *r = (struct refusal){"bring the host end up", -error};
  if (error >= 0 && a->announce && (error = announce(guest_fd, ifindex, a->mac)) < 0)
    *r = (struct refusal){"announce", -error};
  double up = now_us();

out:
  close(guest_fd);
  close(ns_fd);
  if (error < 0) return -1;
  double end = now_us();
  *t = (struct timing){end - start, opened - start, created - opened, configured - created, up - configured};
  return 0;
}

/* ---- delete: the notice comes long before the ack ------------------------------------------------------------ */

/* The sender of RTM_DELLINK waits out RCU in its own system call, after the link is gone and its name is free. So a
   second thread reads the notices. Its socket is subscribed only while a delete runs: it sleeps through attaches. */
static _Atomic double noticed_at;
static pthread_mutex_t awaited_lock = PTHREAD_MUTEX_INITIALIZER;
static char awaited[IFNAMSIZ];

static void *watch(void *unused) {
  (void)unused;
  for (;;) {
    _Alignas(8) uint8_t in[32768];
    ssize_t got = recv(notice_fd, in, sizeof in, 0);
    double at = now_us();
    if (got < 0) {
      if (errno == EINTR || errno == ENOBUFS) continue;
      die("reading notices: %s", strerror(errno));
    }
    size_t left = (size_t)got;
    for (struct nlmsghdr *h = (struct nlmsghdr *)in; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type != RTM_DELLINK) continue;
      struct ifinfomsg *link = NLMSG_DATA(h);
      /* The bridge announces a leaving port by an RTM_DELLINK of its own family: the link itself still exists then. */
      if (link->ifi_family != AF_UNSPEC) continue;
      int length = IFLA_PAYLOAD(h);
      for (struct rtattr *a = IFLA_RTA(link); RTA_OK(a, length); a = RTA_NEXT(a, length)) {
        if (a->rta_type != IFLA_IFNAME) continue;
        pthread_mutex_lock(&awaited_lock);
        if (strcmp(RTA_DATA(a), awaited) == 0) {
          awaited[0] = 0;
          atomic_store(&noticed_at, at);
        }
        pthread_mutex_unlock(&awaited_lock);
      }
    }
  }
  return NULL;
}

static int detach(const char *hostif, double *notice, double *ack, struct refusal *r) {
  int group = RTNLGRP_LINK;
  pthread_mutex_lock(&awaited_lock);
  snprintf(awaited, sizeof awaited, "%s", hostif);
  atomic_store(&noticed_at, 0);
  pthread_mutex_unlock(&awaited_lock);
  if (setsockopt(notice_fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
    return *r = (struct refusal){"subscribe to notices", errno}, -1;

  struct buffer b = {0};
  struct nlmsghdr *h = begin_message(&b, RTM_DELLINK, NLM_F_ACK, ++sequence);
  reserve(&b, sizeof(struct ifinfomsg));
  put_text(&b, IFLA_IFNAME, hostif);
  end_message(&b, h);
  double start = now_us();
  int error = talk(host_fd, &b, sequence, NULL);
  double acked = now_us();
  /* The notice is sent before the ack; only the watching thread may be a moment late. */
  double at = 0;
  for (int tries = 0; error == 0 && (at = atomic_load(&noticed_at)) == 0 && tries < 1000; tries++) usleep(1000);
  setsockopt(notice_fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group);
  if (error < 0) return *r = (struct refusal){"delete the link", -error}, -1;
  if (at == 0) return *r = (struct refusal){"wait for the notice", ETIMEDOUT}, -1;
  *notice = at - start;
  *ack = acked - start;
  return 0;
}

/* ---- output -------------------------------------------------------------------------------------------------- */

static void print_attach(const struct timing *t) {
  printf("{\"op\":\"attach\",\"us\":%.1f,\"openUs\":%.1f,\"createUs\":%.1f,\"guestUs\":%.1f,\"hostUs\":%.1f}\n", t->total,
         t->open, t->create, t->guest, t->host);
  fflush(stdout);
}

static void print_detach(double notice, double ack) {
  printf("{\"op\":\"detach\",\"noticeUs\":%.1f,\"ackUs\":%.1f}\n", notice, ack);
  fflush(stdout);
}

static void print_refusal(const char *op, const struct refusal *r) {
  printf("{\"op\":\"%s\",\"error\":\"%s: %s\",\"errno\":%d}\n", op, r->where, strerror(r->number), r->number);
  fflush(stdout);
}

/* ---- requests ------------------------------------------------------------------------------------------------ */

static int parse_mac(const char *text, uint8_t mac[6]) {
  char rest;
  return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
                &rest) == 6;
}

static int parse_attach(char *words[9], struct attachment *a) {
  *a = (struct attachment){.netns = words[0], .bridge = words[1], .hostif = words[2], .ifname = words[3], .alias = words[8]};
  char *slash = strchr(words[6], '/');
  if (!slash) return 0;
  *slash = 0;
  a->mtu = (uint32_t)strtoul(words[5], NULL, 10);
  a->prefixlen = atoi(slash + 1);
  return strlen(a->hostif) < IFNAMSIZ && strlen(a->ifname) < IFNAMSIZ && strlen(a->alias) < 256 && a->mtu > 0 &&
         a->prefixlen >= 0 && a->prefixlen <= 32 && parse_mac(words[4], a->mac) &&
         inet_pton(AF_INET, words[6], &a->address) == 1 && inet_pton(AF_INET, words[7], &a->gateway) == 1;
}

static void serve(void) {
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) > 0) {
    char *words[11], *save = NULL;
    int count = 0;
    for (char *w = strtok_r(line, " \n", &save); w && count < 11; w = strtok_r(NULL, " \n", &save)) words[count++] = w;
    struct refusal r;
    struct attachment a;
    if ((count == 10 || (count == 11 && strcmp(words[10], "announce") == 0)) && strcmp(words[0], "attach") == 0 &&
        parse_attach(words + 1, &a)) {
      a.announce = count == 11;
      struct timing t;
      if (attach(&a, &t, &r) == 0) print_attach(&t);
      else print_refusal("attach", &r);
    } else if (count == 2 && strcmp(words[0], "detach") == 0 && strlen(words[1]) < IFNAMSIZ) {
      double notice, ack;
      if (detach(words[1], &notice, &ack, &r) == 0) print_detach(notice, ack);
      else print_refusal("detach", &r);
    } else {
      r = (struct refusal){"read the request", EINVAL};
      print_refusal(count > 0 && strcmp(words[0], "detach") == 0 ? "detach" : "attach", &r);
    }
  }
  free(line);
}

/* ---- rounds of its own --------------------------------------------------------------------------------------- */

static void write_sysctl(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) die("%s: %s", path, strerror(errno));
  close(fd);
}

/* A new namespace, known by a descriptor of this process; the thread is back home afterwards. */
static int fresh_guest(int ipv6) {
  if (unshare(CLONE_NEWNET) < 0) die("cannot make a guest namespace: %s", strerror(errno));
  if (!ipv6 && access("/proc/sys/net/ipv6", F_OK) == 0) {
    write_sysctl("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    write_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  }
  int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(home_fd, CLONE_NEWNET) < 0) die("cannot return from a guest namespace: %s", strerror(errno));
  return fd;
}

static void make_bridge(const char *name) {
  struct buffer b = {0};
  struct nlmsghdr *h = begin_message(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, ++sequence);
  struct ifinfomsg *link = reserve(&b, sizeof *link);
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  put_text(&b, IFLA_IFNAME, name);
  struct rtattr *info = begin_nest(&b, IFLA_LINKINFO);
  put_text(&b, IFLA_INFO_KIND, "bridge");
  end_nest(&b, info);
  end_message(&b, h);
  int error = talk(host_fd, &b, sequence, NULL);
  if (error < 0) die("cannot make bridge %s: %s", name, strerror(-error));
}

static void rounds(int deletes, int count, int warm, int ipv6, const char *path) {
  make_bridge("br0");
  struct attachment a = {
      .netns = path, .bridge = "br0", .hostif = "vfloor", .ifname = "eth1", .alias = "pipework:floor",
      .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500, .prefixlen = 24};
  inet_pton(AF_INET, "192.168.77.2", &a.address);
  inet_pton(AF_INET, "192.168.77.1", &a.gateway);
  for (int i = -warm; i < count; i++) {
    char fresh[64];
    int fd = -1;
    if (!path) {
      fd = fresh_guest(ipv6);
      snprintf(fresh, sizeof fresh, "/proc/self/fd/%d", fd);
      a.netns = fresh;
    }
    struct refusal r;
    struct timing t;
    double notice, ack;
    if (attach(&a, &t, &r) < 0 || detach(a.hostif, &notice, &ack, &r) < 0)
      die("cannot %s: %s", r.where, strerror(r.number));
    if (i >= 0 && deletes) print_detach(notice, ack);
    if (i >= 0 && !deletes) print_attach(&t);
    if (fd >= 0) close(fd);
  }
}

static int usage(void) {
  fputs("usage: attach-floor serve | attach-floor [--warm N] [--ipv6] attach|detach N [NETNS-PATH]\n", stderr);
  return 1;
}

int main(int argc, char **argv) {
  int at = 1, warm = 10, ipv6 = 0;
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
    if (strcmp(argv[at], "--ipv6") == 0) ipv6 = 1;
    else if (strcmp(argv[at], "--warm") == 0 && at + 1 < argc) warm = atoi(argv[++at]);
    else return usage();
  }
  int words = argc - at;
  int serving = words == 1 && strcmp(argv[at], "serve") == 0;
  int deletes = words >= 2 && strcmp(argv[at], "detach") == 0;
  int attaches = words >= 2 && strcmp(argv[at], "attach") == 0;
  int count = deletes || attaches ? atoi(argv[at + 1]) : 0;
  if (!serving && (count < 1 || words > 3)) return usage();

  if (!serving && unshare(CLONE_NEWNET) < 0) die("cannot make a namespace to work in: %s", strerror(errno));
  home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  host_fd = open_route_socket();
  notice_fd = open_route_socket();
  if (home_fd < 0 || host_fd < 0 || notice_fd < 0) die("cannot open the namespace or a socket: %s", strerror(errno));
  struct sockaddr_nl self = {.nl_family = AF_NETLINK};
  pthread_t watcher;
  if (bind(notice_fd, (struct sockaddr *)&self, sizeof self) < 0 || pthread_create(&watcher, NULL, watch, NULL) != 0)
    die("cannot watch for notices: %s", strerror(errno));

  if (serving) serve();
  else rounds(deletes, count, warm, ipv6, words == 3 ? argv[at + 2] : NULL);
  return 0;
}
