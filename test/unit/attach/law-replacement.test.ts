import { lawOfPlans } from "../../fake/law.js";

lawOfPlans("replacement");
