import { lawOfPlans } from "../../fake/law.js";

lawOfPlans("completion");
