import { killedLaw } from "./support/law.js";
import { needs } from "./support/needs.js";
import { scenarios } from "./support/scenario.js";

needs("veth", "bridge", "macvlan");
killedLaw(scenarios);
