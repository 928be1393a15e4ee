import { lawOfPlans } from "../../fake/law.js";

lawOfPlans("a fresh attachment");
